#pragma once
// Reading CSV (RFC 4180) in parallel: every reader takes a range of bytes, in three passes that
// each end in an exchange of small summaries:
//   1. count_marks    -> every reader knows whether its range begins inside a quoted field
//   2. survey_slice   -> merged in range order: rows, types, levels, classes, the first fault
//   3. read_slice     -> each reader parses its own rows straight into the columns
// Most tables are plain numbers without a quote. Where the marks allow it (`make_draft`) the second
// pass writes the table on that assumption, and the third is needed only when it proves wrong.
// Nothing here communicates; `run` moves the summaries between ranks.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orchard/data/table.hpp"

namespace orchard::data {

/// A file mapped read-only. Throws kData when it cannot be read, is empty, is a directory, or looks
/// like something that is no text (gzip, HDF5, UTF-16).
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view text() const { return text_; }  ///< without a UTF-8 byte order mark
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string_view text_, whole_;
};

/// What the job says about the columns.
struct ReadRequest {
  std::string target;  ///< empty: prediction, no target is read
  Task task = Task::kClassification;
  std::vector<std::string> drop;
  std::vector<std::string> categorical_features;
  std::string weight;       ///< column name or empty
  std::string fold_column;  ///< column name or empty
  /// Prediction: the features wanted, by name, with their kinds and levels; other columns of the
  /// file are ignored, a missing one is kData. Levels unknown to it read as missing. A target named
  /// as well is read with the schema's task and classes.
  const model::Schema* schema = nullptr;
};

/// A range of bytes [begin, end) of the text. It owns the rows whose first byte lies in it; the
/// header row belongs to nobody.
struct Slice {
  std::size_t begin = 0, end = 0;
  bool starts_in_quotes = false;
};

/// Cuts the text into `n_slices` ranges of about equal size (some may be empty).
std::vector<Slice> cut_into_slices(std::string_view text, int n_slices);
/// The characters of a range that decide where rows end.
struct Marks {
  std::int64_t n_quotes = 0;  ///< their parity over all ranges before one: `starts_in_quotes`
  std::int64_t n_rows = 0;    ///< that the range owns, if the text has no quote and no lone CR
  std::int64_t n_lone_returns = 0;
};
Marks count_marks(const MappedFile& file, const Slice& slice);

/// What a range knows about its rows: small, mergeable, no values.
class Survey {
 public:
  struct Column {
    /// A categorical feature and a class target count all their cells as texts.
    std::int64_t n_missing = 0, n_numbers = 0, n_texts = 0;
    std::int64_t n_positive = 0;          ///< numbers above zero; of a weight column
    std::int64_t first_missing_row = -1;  ///< within this survey
    /// First cell that is no number: row (within this survey) and text, for messages.
    std::int64_t first_text_row = -1;
    std::string first_text;
    /// Distinct texts, for columns that may be categorical or class labels. Kept up to 65,535, then
    /// dropped and `has_too_many_levels` set.
    std::set<std::string> levels;
    bool has_too_many_levels = false;
  };
  std::vector<std::string> header;
  std::vector<Column> columns;  ///< as in the header
  std::int64_t n_rows = 0;
  std::optional<std::string> fault;  ///< the first fault of this range's rows
  std::int64_t fault_row = -1;       ///< its row within this survey

  void merge(const Survey& next);  ///< `next` follows this range
  Bytes to_bytes() const;
  static Survey from_bytes(ByteSpan bytes);
};

/// Where each column of the file goes.
struct Layout {
  model::Schema schema;
  RowIndex n_rows = 0;
  std::vector<std::int32_t> column_of_feature;  ///< [n_features]: column in the file
  std::int32_t target_column = -1, weight_column = -1, fold_column = -1;
};

/// Where read_slice writes: arrays of the whole table.
struct TableBuffers {
  std::vector<float*> columns;   ///< [n_features][n_rows]
  double* target = nullptr;      ///< [n_rows] or null
  double* weight = nullptr;      ///< [n_rows] or null
  std::int32_t* fold = nullptr;  ///< [n_rows] or null
};

/// The layout of a table whose features are all numbers, before anything is known of its cells, or
/// nothing when some are declared otherwise. Throws as `conclude` does for names.
std::optional<Layout> make_draft(const MappedFile& file, const ReadRequest& request,
                                 RowIndex n_rows);

/// Where a survey also writes the rows of its slice.
struct DraftSlice {
  const Layout* layout = nullptr;  ///< borrowed
  const TableBuffers* out = nullptr;
  RowIndex first_row = 0, n_rows = 0;  ///< the rows of the table that the slice owns
  /// Out: every value written is what read_slice writes, except for labels: their target is the
  /// number in `labels`.
  bool is_good = true;
  std::vector<std::string> labels;
};

/// With a draft, also writes its rows. Local, any thread.
Survey survey_slice(const MappedFile& file, const Slice& slice, const ReadRequest& request,
                    DraftSlice* draft = nullptr);

/// Fixes types, levels and classes from the whole file's survey. A column is numeric when all its
/// cells are, and categorical when declared so or when at most half of its cells are numbers; a
/// mostly numeric column with text in it is a fault. Throws kData naming file, row and column:
/// ragged row, missing target (nearest name), duplicate names, no rows, one class only, too many
/// levels, target not usable for the task, unknown drop/categorical/weight column.
Layout conclude(const MappedFile& file, const Survey& whole, const ReadRequest& request);

/// Whether the table that surveys wrote to `draft` is the one that `layout` describes, if all its
/// slices are good.
bool is_draft_of(const Layout& draft, const Layout& layout);
/// Puts classes in the place of the numbers of labels; false when a label is no class, which
/// read_slice will complain of. Local, any thread.
bool settle_labels(const DraftSlice& draft, const Layout& layout);

/// Parses the rows of `slice`; the first of them is row `first_row` of the table. Throws kData for
/// a number out of float range, a negative or non-finite weight, a non-integer fold.
void read_slice(const MappedFile& file, const Slice& slice, const Layout& layout,
                const ReadRequest& request, RowIndex first_row, const TableBuffers& out);

/// A fold file: one integer a line, as many as rows. Throws kData naming file and line.
std::vector<std::int32_t> read_fold_file(const std::string& path, RowIndex n_rows);

/// A whole table read by one reader, with the memory that holds it. For tests and small tools.
struct OwnedTable {
  Table table;
  std::vector<std::vector<float>> columns;
  std::vector<double> target, weight;
  std::vector<std::int32_t> fold;
};
std::unique_ptr<OwnedTable> read_csv(const std::string& path, const ReadRequest& request);

}  // namespace orchard::data
