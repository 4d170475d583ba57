#include <cmath>
#include <limits>
#include <unordered_map>

#include "class_labels.hpp"
#include "csv_text.hpp"
#include "number.hpp"
#include "orchard/base/text.hpp"
#include "orchard/data/csv.hpp"

namespace orchard::data {
namespace {

using LevelIndex = std::unordered_map<std::string_view, float>;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

enum class SinkKind : std::uint8_t {
  kNowhere,
  kNumber,
  kLevel,
  kClass,
  kValue,
  kWeight,
  kFold,
};

/// Where the cells of a column of the file go.
struct Sink {
  SinkKind kind = SinkKind::kNowhere;
  void* out = nullptr;                 ///< [n_rows], of the kind's type
  const LevelIndex* levels = nullptr;  ///< kLevel
};

/// Parses the rows of one slice.
class Reader {
 public:
  Reader(const MappedFile& file, const Layout& layout, const TableBuffers& out)
      : file_(file),
        csv_(open_csv(file)),
        layout_(layout),
        classes_(layout.schema.classes),
        levels_(layout.schema.n_features()),
        sinks_(csv_.n_columns()) {
    require(out.columns.size() == layout.schema.n_features() &&
                layout.column_of_feature.size() == layout.schema.n_features(),
            "every feature has a buffer");
    for (std::size_t feature = 0; feature < levels_.size(); ++feature) place(feature, out);
    const bool has_classes = layout.schema.task == Task::kClassification;
    set(layout.target_column, {has_classes ? SinkKind::kClass : SinkKind::kValue, out.target});
    set(layout.weight_column, {SinkKind::kWeight, out.weight});
    set(layout.fold_column, {SinkKind::kFold, out.fold});
  }

  void run(const Slice& slice, RowIndex first_row) {
    RowPlace place;
    try {
      for_each_cell(csv_, slice, place, [&](std::size_t column, const char* at, const char* end) {
        const std::uint64_t row = first_row + static_cast<std::uint64_t>(place.row);
        if (row >= layout_.n_rows) throw_changed();
        column_ = column;
        return read(sinks_[column], row, at, end);
      });
    } catch (const RowFault& fault) {
      throw data_error(file_.path(), line_of(csv_, place.begin), fault.message + ".", fault.hint);
    }
    const std::uint64_t n_read = first_row + static_cast<std::uint64_t>(place.row);
    if (slice.end >= csv_.text.size() && n_read != layout_.n_rows) throw_changed();
  }

 private:
  [[noreturn]] void throw_changed() const {
    throw Error(ErrorKind::kData,
                format("does not hold its {} any more: it was changed while "
                       "it was being read.",
                       counted(layout_.n_rows, "row")),
                file_.path());
  }

  void set(std::int32_t column, const Sink& sink) {
    if (column < 0 || sink.out == nullptr) return;
    if (static_cast<std::size_t>(column) >= sinks_.size()) throw_changed();
    sinks_[static_cast<std::size_t>(column)] = sink;
  }

  void place(std::size_t feature, const TableBuffers& out) {
    const auto& described = layout_.schema.features[feature];
    Sink sink{SinkKind::kNumber, out.columns[feature]};
    if (described.kind == model::FeatureKind::kCategorical) {
      sink.kind = SinkKind::kLevel;
      sink.levels = &levels_[feature];
      for (std::size_t level = 0; level < described.levels.size(); ++level) {
        levels_[feature].emplace(described.levels[level], static_cast<float>(level));
      }
    }
    set(layout_.column_of_feature[feature], sink);
  }

  const char* read(const Sink& sink, std::uint64_t row, const char* at, const char* end) {
    if (sink.kind == SinkKind::kNumber) {
      return read_number(static_cast<float*>(sink.out) + row, at, end);
    }
    at = scan_cell(at, end, cell_);
    switch (sink.kind) {
      case SinkKind::kLevel:
        static_cast<float*>(sink.out)[row] = level_of(*sink.levels);
        break;
      case SinkKind::kClass:
        static_cast<double*>(sink.out)[row] = class_of();
        break;
      case SinkKind::kValue:
        static_cast<double*>(sink.out)[row] = value_of();
        break;
      case SinkKind::kWeight:
        static_cast<double*>(sink.out)[row] = weight_of();
        break;
      case SinkKind::kFold:
        static_cast<std::int32_t*>(sink.out)[row] = fold_of();
        break;
      default:
        break;
    }
    return at;
  }

  const char* read_number(float* out, const char* at, const char* end) {
    if (const char* const cell_end = read_short_number(at, end, *out)) return cell_end;
    Decimal decimal;
    const char* const number_end = scan_number(at, end, decimal);
    if (number_end != nullptr && is_cell_end(number_end, end)) {
      const std::string_view text(at, static_cast<std::size_t>(number_end - at));
      *out = in_range(number_value(decimal, text), text);
      return number_end;
    }
    at = scan_cell(at, end, cell_);
    *out = cell_.text.empty() ? kMissing : static_cast<float>(value_of());
    return at;
  }

  /// As float32 and without -0.0.
  float in_range(double value, std::string_view text) const {
    const float rounded = static_cast<float>(value);
    if (!std::isfinite(rounded)) {
      throw fault(text, "is beyond the range of numbers (3.4e38)");
    }
    return rounded + 0.0f;
  }

  RowFault fault(std::string_view text, const std::string& what) const {
    return RowFault{
        format("column '{}': '{}' {}", escape(csv_.header[column_]), escape(text, 40), what)};
  }

  double value_of() const {
    const auto value = parse_number(cell_.text);
    if (!value) throw fault(cell_.text, "where a number was expected");
    in_range(*value, cell_.text);
    return *value + 0.0;
  }

  double weight_of() const {
    const double weight = value_of();
    if (weight < 0) throw fault(cell_.text, "is no weight: weights are not negative");
    return weight;
  }

  std::int32_t fold_of() const {
    const double fold_number = value_of();
    if (!is_fold_number(fold_number)) {
      throw fault(cell_.text, "is no fold: an integer from 0, or -1 for always training");
    }
    return static_cast<std::int32_t>(fold_number);
  }

  float level_of(const LevelIndex& levels) {
    if (cell_.text.empty()) return kMissing;
    const auto found = levels.find(plain_text(cell_, scratch_));
    return found == levels.end() ? kMissing : found->second;
  }

  double class_of() {
    const std::int32_t found = classes_.find(plain_text(cell_, scratch_));
    if (found < 0) {
      const std::span classes(layout_.schema.classes);
      const auto shown = join(classes.first(std::min<std::size_t>(classes.size(), 10)), ", ");
      throw fault(cell_.text, format("is none of the classes ({}{})", escape(shown, 200),
                                     classes.size() > 10 ? ", ..." : ""));
    }
    return found;
  }

  const MappedFile& file_;
  const CsvText csv_;
  const Layout& layout_;
  const ClassIndex classes_;
  std::vector<LevelIndex> levels_;
  std::vector<Sink> sinks_;
  std::size_t column_ = 0;
  Cell cell_;
  std::string scratch_;
};

}  // namespace

void read_slice(const MappedFile& file, const Slice& slice, const Layout& layout,
                const ReadRequest&, RowIndex first_row, const TableBuffers& out) {
  Reader(file, layout, out).run(slice, first_row);
}

std::vector<std::int32_t> read_fold_file(const std::string& path, RowIndex n_rows) {
  const MappedFile file(path);
  std::vector<std::int32_t> folds;
  std::string_view rest = file.text();
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\r')) rest.remove_suffix(1);
  while (!rest.empty()) {
    const auto length = std::min(rest.find('\n'), rest.size());
    const auto text = trim(rest.substr(0, length));
    rest.remove_prefix(std::min(length + 1, rest.size()));
    const auto fold = parse_int(text);
    if (!fold || *fold < -1 || *fold >= std::numeric_limits<std::int32_t>::max()) {
      throw data_error(path, static_cast<std::int64_t>(folds.size()) + 1,
                       format("'{}' is no fold: an integer from 0, or -1 for always training, was "
                              "expected.",
                              escape(text, 40)));
    }
    folds.push_back(static_cast<std::int32_t>(*fold));
  }
  if (folds.size() != n_rows) {
    throw data_error(
        path, static_cast<std::int64_t>(std::min<std::size_t>(folds.size(), n_rows)) + 1,
        format("{}; the table has {}.", counted(folds.size(), "fold"), counted(n_rows, "row")),
        "One fold a line, as many lines as data rows.");
  }
  return folds;
}

std::unique_ptr<OwnedTable> read_csv(const std::string& path, const ReadRequest& request) {
  const MappedFile file(path);
  const Slice whole = cut_into_slices(file.text(), 1).front();
  const Layout layout = conclude(file, survey_slice(file, whole, request), request);
  auto owned = std::make_unique<OwnedTable>();
  owned->columns.assign(layout.schema.n_features(), std::vector<float>(layout.n_rows));
  if (layout.target_column >= 0) owned->target.resize(layout.n_rows);
  if (layout.weight_column >= 0) owned->weight.resize(layout.n_rows);
  if (layout.fold_column >= 0) owned->fold.resize(layout.n_rows);
  TableBuffers buffers;
  for (auto& column : owned->columns) buffers.columns.push_back(column.data());
  if (!owned->target.empty()) buffers.target = owned->target.data();
  if (!owned->weight.empty()) buffers.weight = owned->weight.data();
  if (!owned->fold.empty()) buffers.fold = owned->fold.data();
  read_slice(file, whole, layout, request, 0, buffers);
  owned->table = {layout.schema, layout.n_rows, {}, owned->target, owned->weight, owned->fold};
  for (const auto& column : owned->columns) owned->table.columns.push_back(column.data());
  return owned;
}

}  // namespace orchard::data
