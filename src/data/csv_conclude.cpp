#include <limits>

#include "class_labels.hpp"
#include "column_role.hpp"
#include "csv_text.hpp"
#include "level_set.hpp"
#include "number.hpp"
#include "orchard/base/text.hpp"
#include "orchard/data/csv.hpp"
#include "utf8.hpp"

namespace orchard::data {
namespace {

using model::FeatureKind;

/// What to do about a text where a number was expected.
std::string hint_for(const std::string& text) {
  const std::string word = to_lower(trim(text));
  for (const char* missing : {"", "na", "n/a", "nan", "null", "none", "?", "-", "nil", "missing"}) {
    if (word == missing) return "Only an empty cell means missing.";
  }
  for (const char* infinite : {"inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"}) {
    if (word == infinite) return "Infinite values cannot be used.";
  }
  std::string with_point = word;
  const auto comma = with_point.find(',');
  if (comma != std::string::npos) {
    with_point[comma] = '.';
    if (is_number(with_point)) return "Decimal numbers are written with a point.";
  }
  return {};
}

/// Judges the columns of a whole file.
class Judge {
 public:
  Judge(const MappedFile& file, const CsvText& csv, const Survey& whole, const ReadRequest& request)
      : file_(file),
        csv_(csv),
        whole_(whole),
        request_(request),
        roles_(roles_of(csv.header, request)) {}

  void check_rows() const {
    if (whole_.fault) throw at_row(whole_.fault_row, *whole_.fault);
    if (whole_.n_rows == 0) {
      throw Error(ErrorKind::kData, "holds a header and 0 data rows.", file_.path());
    }
    if (whole_.n_rows > std::int64_t{std::numeric_limits<RowIndex>::max()} - 1) {
      throw Error(ErrorKind::kData,
                  format("{} rows; a table holds at most 4,294,967,294.", whole_.n_rows),
                  file_.path());
    }
  }

  Layout layout() const {
    Layout layout;
    layout.n_rows = static_cast<RowIndex>(whole_.n_rows);
    layout.schema = request_.schema != nullptr ? schema_given(layout) : schema_found(layout);
    layout.target_column = column_index(csv_.header, request_.target);
    layout.weight_column = column_index(csv_.header, request_.weight);
    layout.fold_column = column_index(csv_.header, request_.fold_column);
    if (request_.target.empty()) layout.target_column = -1;
    if (request_.weight.empty()) layout.weight_column = -1;
    if (request_.fold_column.empty()) layout.fold_column = -1;
    check_special(layout.target_column, "target");
    check_special(layout.weight_column, "weight");
    check_special(layout.fold_column, "fold column");
    if (layout.weight_column >= 0 && counts(layout.weight_column).n_positive == 0) {
      throw Error(ErrorKind::kData,
                  format("no weight in column '{}' is above zero.", escape(request_.weight)),
                  file_.path());
    }
    if (layout.target_column >= 0 && request_.schema == nullptr) find_classes(layout.schema);
    return layout;
  }

 private:
  const Survey::Column& counts(std::int32_t column) const {
    return whole_.columns[static_cast<std::size_t>(column)];
  }
  std::string name_of(std::int32_t column) const {
    return escape(csv_.header[static_cast<std::size_t>(column)]);
  }

  Error at_row(std::int64_t row, const std::string& message, const std::string& hint = {}) const {
    return data_error(file_.path(), line_of_row(csv_, row), message, hint);
  }

  Error text_found(std::int32_t column, const std::string& expected, std::string hint = {}) const {
    const auto& column_counts = counts(column);
    const std::string more = hint_for(column_counts.first_text);
    if (!more.empty()) hint = more + (hint.empty() ? "" : " ") + hint;
    return at_row(column_counts.first_text_row,
                  format("column '{}' holds the text '{}'; {}.", name_of(column),
                         escape(column_counts.first_text, 40), expected),
                  hint);
  }

  /// Target, weight and folds have no missing cells, and no text unless they are classes.
  void check_special(std::int32_t column, const std::string& use) const {
    if (column < 0) return;
    const auto& column_counts = counts(column);
    if (column_counts.n_missing > 0) {
      throw at_row(column_counts.first_missing_row,
                   format("the {} '{}' is empty ({} of {}).", use, name_of(column),
                          column_counts.n_missing, counted(whole_.n_rows, "row")));
    }
    const bool is_class = roles_[static_cast<std::size_t>(column)] == ColumnRole::kClassTarget;
    if (column_counts.n_texts > 0 && !is_class) {
      const bool is_value = roles_[static_cast<std::size_t>(column)] == ColumnRole::kValueTarget;
      throw text_found(column, format("the {} must be a number in every row", use),
                       is_value ? "Texts as labels are for classifiers." : "");
    }
  }

  model::Schema schema_given(Layout& layout) const {
    for (const auto& feature : request_.schema->features) {
      const auto column = column_index(csv_.header, feature.name);
      layout.column_of_feature.push_back(column);
      if (feature.kind == FeatureKind::kNumeric && counts(column).n_texts > 0) {
        throw text_found(column, "the model was trained with numbers there");
      }
    }
    return *request_.schema;
  }

  model::Schema schema_found(Layout& layout) const {
    model::Schema schema;
    schema.target = request_.target;
    schema.task = request_.task;
    for (std::int32_t column = 0; column < static_cast<std::int32_t>(roles_.size()); ++column) {
      const ColumnRole role = roles_[static_cast<std::size_t>(column)];
      if (role != ColumnRole::kUndeclared && role != ColumnRole::kCategorical) continue;
      layout.column_of_feature.push_back(column);
      schema.features.push_back(judge_feature(column, role));
    }
    return schema;
  }

  model::Feature judge_feature(std::int32_t column, ColumnRole role) const {
    const auto& column_counts = counts(column);
    model::Feature feature{
        csv_.header[static_cast<std::size_t>(column)], FeatureKind::kNumeric, {}};
    if (role == ColumnRole::kUndeclared) {
      if (column_counts.n_texts == 0) return feature;
      if (column_counts.n_numbers > column_counts.n_texts) {
        throw text_found(column,
                         format("{} of its {} cells are numbers", column_counts.n_numbers,
                                column_counts.n_numbers + column_counts.n_texts),
                         "Correct it, or list the column in categorical_features or drop.");
      }
    }
    feature.kind = FeatureKind::kCategorical;
    const bool is_mixed = column_counts.n_numbers > 0;
    const LevelSet all = is_mixed ? all_texts(column) : LevelSet();
    if (column_counts.has_too_many_levels || all.is_overfull()) {
      throw Error(
          ErrorKind::kData,
          format("column '{}' holds more than {} different texts.", name_of(column), kMaxLevels),
          file_.path(), "An identifier is no feature: list the column in drop.");
    }
    const auto levels = is_mixed ? all.sorted() : column_counts.levels;
    feature.levels.assign(levels.begin(), levels.end());
    check_utf8(feature.levels, column);
    return feature;
  }

  /// The survey keeps the texts of undeclared columns only where they are no numbers. A column that
  /// turns out to be categorical although it holds numbers too is rare; it costs another pass.
  LevelSet all_texts(std::int32_t wanted) const {
    LevelSet texts;
    RowPlace place;
    Cell cell;
    const Slice everything{0, csv_.text.size(), false};
    for_each_cell(csv_, everything, place,
                  [&](std::size_t column, const char* at, const char* end) {
                    at = scan_cell(at, end, cell);
                    const bool is_wanted = column == static_cast<std::size_t>(wanted);
                    if (is_wanted && !cell.text.empty()) texts.add(cell);
                    return at;
                  });
    return texts;
  }

  void find_classes(model::Schema& schema) const {
    if (schema.task != Task::kClassification) return;
    const auto column = column_index(csv_.header, request_.target);
    if (counts(column).has_too_many_levels) {
      throw Error(ErrorKind::kData,
                  format("the target '{}' holds more than {} different labels.", name_of(column),
                         kMaxLevels),
                  file_.path(), "Measured values are for regressors.");
    }
    schema.classes = class_labels(counts(column).levels);
    check_utf8(schema.classes, column);
    if (schema.n_classes() < 2) {
      throw Error(ErrorKind::kData,
                  format("the target '{}' holds one class only, '{}'; at least two are needed.",
                         name_of(column), escape(schema.classes.at(0), 40)),
                  file_.path());
    }
  }

  void check_utf8(const std::vector<std::string>& texts, std::int32_t column) const {
    for (const auto& text : texts) {
      if (!first_non_utf8(text)) continue;
      throw Error(
          ErrorKind::kData,
          format("column '{}' holds '{}', which is not UTF-8.", name_of(column), escape(text, 40)),
          file_.path(), "Convert the file, for example with iconv -t UTF-8.");
    }
  }

  const MappedFile& file_;
  const CsvText& csv_;
  const Survey& whole_;
  const ReadRequest& request_;
  std::vector<ColumnRole> roles_;
};

}  // namespace

Layout conclude(const MappedFile& file, const Survey& whole, const ReadRequest& request) {
  const CsvText csv = open_csv(file);
  check_names(file.path(), csv.header, request);
  require(whole.header == csv.header && whole.columns.size() == csv.header.size(),
          "the survey is of this file");
  const Judge judge(file, csv, whole, request);
  judge.check_rows();
  return judge.layout();
}

}  // namespace orchard::data
