#pragma once
// The grammar of CSV: cells, rows, and where the rows of a slice begin.
//
// RFC 4180, with these decisions: rows end with LF, CRLF or a lone CR; a quote inside an unquoted
// cell and text after a closing quote are faults (so the parity of quotes tells what is quoted);
// empty lines at the end are skipped when the header has more than one column, elsewhere an empty
// line is a row of one empty cell, and so a ragged row in such files.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "orchard/base/error.hpp"
#include "orchard/data/csv.hpp"

namespace orchard::data {

/// The text of a file, cut into header and rows.
struct CsvText {
  std::string_view text;
  std::vector<std::string> header;  ///< names; blanks around unquoted ones removed
  const char* rows_begin = nullptr;
  const char* rows_end = nullptr;

  std::size_t n_columns() const { return header.size(); }
};

/// Reads the header. Throws kData: malformed, or not UTF-8.
CsvText open_csv(const MappedFile& file);

/// What is wrong with the row under way.
struct RowFault {
  std::string message;
  std::string hint = {};
};

/// One cell, without its quotes.
struct Cell {
  std::string_view text;
  bool is_quoted = false;
  bool has_doubled_quotes = false;
};

/// A cell's text with doubled quotes made one; `scratch` holds it when it must be made.
std::string_view plain_text(const Cell& cell, std::string& scratch);

inline bool is_cell_end(const char* at, const char* end) {
  return at == end || *at == ',' || *at == '\n' || *at == '\r';
}

/// The general case of `scan_cell`.
const char* scan_odd_cell(const char* at, const char* end, Cell& cell);

/// Reads the cell at `at` and returns where it ends: a comma, a line end or `end`. Throws RowFault.
inline const char* scan_cell(const char* at, const char* end, Cell& cell) {
  static constexpr auto kIsSpecial = [] {
    std::array<bool, 256> is_special{};
    for (const unsigned char c : {',', '"', '\n', '\r'}) is_special[c] = true;
    return is_special;
  }();
  const char* const begin = at;
  while (at < end && !kIsSpecial[static_cast<unsigned char>(*at)]) ++at;
  if (at < end && *at == '"') return scan_odd_cell(begin, end, cell);
  cell = {{begin, static_cast<std::size_t>(at - begin)}, false, false};
  return at;
}

/// Steps over LF, CR or CRLF.
inline const char* skip_line_end(const char* at, const char* end) {
  if (at < end && *at == '\r') {
    ++at;
    return at < end && *at == '\n' ? at + 1 : at;
  }
  return at < end && *at == '\n' ? at + 1 : at;
}

/// Where the first row begins whose first byte lies in the slice, or at or after its end if there
/// is none.
const char* first_row_of(const CsvText& csv, const Slice& slice);

/// The row being read, for messages.
struct RowPlace {
  const char* begin = nullptr;
  std::int64_t row = 0;  ///< within the slice
};

[[noreturn]] void throw_ragged_row(const CsvText& csv, const RowPlace& place, std::size_t n_found,
                                   const char* at);

/// Calls on_cell(column, at, end), which returns where its cell ends, for all cells of the slice's
/// rows in order. `place` tells where it is, also when RowFault is thrown; at the end place.row is
/// the number of rows.
template <class OnCell>
void for_each_cell(const CsvText& csv, const Slice& slice, RowPlace& place, OnCell&& on_cell) {
  const char* const end = csv.rows_end;
  const char* stop = csv.text.data() + slice.end;
  if (stop > end) stop = end;
  const std::size_t n_columns = csv.n_columns();
  const char* at = first_row_of(csv, slice);
  while (at < stop) {
    place.begin = at;
    for (std::size_t column = 0;; ++at) {
      at = on_cell(column, at, end);
      if (++column == n_columns) break;
      if (at == end || *at != ',') throw_ragged_row(csv, place, column, at);
    }
    if (at < end && *at == ',') throw_ragged_row(csv, place, n_columns, at);
    at = skip_line_end(at, end);
    ++place.row;
  }
}

/// Line number (from 1) of a position in the text.
std::int64_t line_of(const CsvText& csv, const char* position);
/// Line number where row `row` of the table begins.
std::int64_t line_of_row(const CsvText& csv, std::int64_t row);

/// kData at a line of a file.
Error data_error(const std::string& path, std::int64_t line, const std::string& message,
                 const std::string& hint = {});

}  // namespace orchard::data
