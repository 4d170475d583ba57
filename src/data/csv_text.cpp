#include "csv_text.hpp"

#include <algorithm>

#include "number.hpp"
#include "orchard/base/text.hpp"
#include "utf8.hpp"

namespace orchard::data {
namespace {

const char* scan_quoted(const char* at, const char* end, Cell& cell) {
  const char* const begin = ++at;
  cell = {{}, true, false};
  for (;;) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    if (at == nullptr) throw RowFault{"a quoted cell that is never closed"};
    if (at + 1 == end || at[1] != '"') break;
    cell.has_doubled_quotes = true;
    at += 2;
  }
  cell.text = {begin, static_cast<std::size_t>(at - begin)};
  if (!is_cell_end(++at, end)) {
    throw RowFault{format("text after the closing quote of \"{}\"", escape(cell.text, 40)),
                   "A quote inside a quoted cell is written twice."};
  }
  return at;
}

/// Reads a header's cells; returns where its line ends.
const char* scan_header(const char* at, const char* end, std::vector<std::string>& header) {
  Cell cell;
  std::string scratch;
  for (;; ++at) {
    at = scan_cell(at, end, cell);
    const auto name = plain_text(cell, scratch);
    header.emplace_back(cell.is_quoted ? name : trim_blanks(name));
    if (at == end || *at != ',') return at;
  }
}

/// Row ends outside of quotes from `at` on; `is_quoted` tells the state there.
const char* next_row(const char* at, const char* end, bool is_quoted) {
  for (; at < end; ++at) {
    if (*at == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && (*at == '\n' || *at == '\r')) {
      return skip_line_end(at, end);
    }
  }
  return end;
}

}  // namespace

CsvText open_csv(const MappedFile& file) {
  CsvText csv;
  csv.text = file.text();
  const char* const begin = csv.text.data();
  const char* const end = begin + csv.text.size();
  try {
    csv.rows_begin = skip_line_end(scan_header(begin, end, csv.header), end);
  } catch (const RowFault& fault) {
    throw data_error(file.path(), 1, "the header holds " + fault.message + ".", fault.hint);
  }
  const std::string_view names(begin, static_cast<std::size_t>(csv.rows_begin - begin));
  if (const auto wrong = first_non_utf8(names)) {
    throw data_error(file.path(), 1, format("the header is not UTF-8: byte {}.", *wrong),
                     "Convert the file, for example with iconv -t UTF-8.");
  }
  csv.rows_end = end;
  if (csv.n_columns() > 1) {
    while (csv.rows_end > csv.rows_begin &&
           (csv.rows_end[-1] == '\n' || csv.rows_end[-1] == '\r')) {
      --csv.rows_end;
    }
  }
  return csv;
}

std::string_view plain_text(const Cell& cell, std::string& scratch) {
  if (!cell.has_doubled_quotes) return cell.text;
  scratch.clear();
  for (std::size_t i = 0; i < cell.text.size(); ++i) {
    scratch += cell.text[i];
    if (cell.text[i] == '"') ++i;
  }
  return scratch;
}

const char* scan_odd_cell(const char* at, const char* end, Cell& cell) {
  if (*at == '"') return scan_quoted(at, end, cell);
  const std::string_view text(at, static_cast<std::size_t>(end - at));
  throw RowFault{format("a quote inside the unquoted cell '{}\"...'",
                        escape(text.substr(0, text.find('"')), 40)),
                 "A cell that holds a quote is quoted as a whole, the quote written twice."};
}

const char* first_row_of(const CsvText& csv, const Slice& slice) {
  const char* const at = csv.text.data() + slice.begin;
  if (at <= csv.rows_begin) return csv.rows_begin;
  if (at >= csv.rows_end) return csv.rows_end;
  if (!slice.starts_in_quotes) {
    if (at[-1] == '\n') return at;
    if (at[-1] == '\r') return *at == '\n' ? at + 1 : at;
  }
  return next_row(at, csv.rows_end, slice.starts_in_quotes);
}

void throw_ragged_row(const CsvText& csv, const RowPlace& place, std::size_t n_found,
                      const char* at) {
  const std::size_t n_expected = csv.n_columns();
  if (at == place.begin) {
    throw RowFault{
        format("an empty line among the rows; {} expected", counted(n_expected, "cell"))};
  }
  Cell cell;
  while (at < csv.rows_end && *at == ',') {
    at = scan_cell(at + 1, csv.rows_end, cell);
    ++n_found;
  }
  throw RowFault{
      format("a row of {}; {} expected, as in the header", counted(n_found, "cell"), n_expected),
      "A cell that holds a comma is quoted."};
}

std::int64_t line_of(const CsvText& csv, const char* position) {
  std::int64_t line = 1;
  for (const char* at = csv.text.data(); at < position; ++at) {
    if (*at == '\n' || (*at == '\r' && (at + 1 == position || at[1] != '\n'))) ++line;
  }
  return line;
}

std::int64_t line_of_row(const CsvText& csv, std::int64_t row) {
  const char* at = csv.rows_begin;
  for (; row > 0 && at < csv.rows_end; --row) at = next_row(at, csv.rows_end, false);
  return line_of(csv, at);
}

Error data_error(const std::string& path, std::int64_t line, const std::string& message,
                 const std::string& hint) {
  return Error(ErrorKind::kData, message, format("{}:{}", path, line), hint);
}

}  // namespace orchard::data
