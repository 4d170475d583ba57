#include <algorithm>
#include <cmath>
#include <limits>

#include "column_role.hpp"
#include "csv_text.hpp"
#include "level_set.hpp"
#include "number.hpp"
#include "orchard/base/bytes.hpp"
#include "orchard/data/csv.hpp"

namespace orchard::data {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

/// Counts the cells of a slice, and writes its draft.
class Surveyor {
 public:
  Surveyor(const CsvText& csv, const ReadRequest& request, DraftSlice* draft)
      : csv_(csv),
        roles_(roles_of(csv.header, request)),
        columns_(csv.n_columns()),
        levels_(csv.n_columns()),
        features_(csv.n_columns(), nullptr),
        draft_(draft) {
    if (draft_ == nullptr) return;
    for (std::size_t feature = 0; feature < draft_->out->columns.size(); ++feature) {
      const auto column = static_cast<std::size_t>(draft_->layout->column_of_feature[feature]);
      features_[column] = draft_->out->columns[feature] + draft_->first_row;
    }
  }

  Survey run(const Slice& slice) {
    Survey survey;
    survey.header = csv_.header;
    try {
      for_each_cell(csv_, slice, place_,
                    [this](std::size_t column, const char* at, const char* end) {
                      if (column == 0 && draft_ != nullptr && place_.row >= draft_->n_rows) {
                        drop_draft();
                      }
                      if (float* const out = features_[column]) {
                        const char* const cell_end = read_short_number(at, end, out[place_.row]);
                        if (cell_end != nullptr) return cell_end;
                      }
                      return add(column, at, end);
                    });
    } catch (const RowFault& fault) {
      survey.fault = fault.message + "." + (fault.hint.empty() ? "" : " " + fault.hint);
      survey.fault_row = place_.row;
    }
    survey.n_rows = place_.row;
    if (draft_ != nullptr && place_.row != draft_->n_rows) drop_draft();
    if (draft_ != nullptr && draft_->layout->target_column >= 0) {
      draft_->labels = levels_[static_cast<std::size_t>(draft_->layout->target_column)].in_order();
    }
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      auto& counts = columns_[column];
      counts.n_numbers = place_.row - counts.n_missing - counts.n_texts;
      columns_[column].levels = levels_[column].sorted();
      columns_[column].has_too_many_levels = levels_[column].is_overfull();
    }
    survey.columns = std::move(columns_);
    return survey;
  }

 private:
  const char* add(std::size_t column, const char* at, const char* end) {
    switch (roles_[column]) {
      case ColumnRole::kIgnored:
        return scan_cell(at, end, cell_);
      case ColumnRole::kCategorical:
      case ColumnRole::kClassTarget:
        at = scan_cell(at, end, cell_);
        add_text(column);
        return at;
      default:
        return add_typed(column, at, end);
    }
  }

  const char* add_typed(std::size_t column, const char* at, const char* end) {
    Decimal decimal;
    const char* number_end = scan_number(at, end, decimal);
    if (number_end != nullptr && is_cell_end(number_end, end)) {
      add_number(column, decimal, {at, static_cast<std::size_t>(number_end - at)});
      return number_end;
    }
    at = scan_cell(at, end, cell_);
    const std::string_view text = trim_blanks(cell_.text);
    const char* const text_end = text.data() + text.size();
    if (!text.empty() && scan_number(text.data(), text_end, decimal) == text_end) {
      add_number(column, decimal, text);
    } else {
      add_text(column);
    }
    return at;
  }

  void add_number(std::size_t column, const Decimal& decimal, std::string_view text) {
    if (roles_[column] == ColumnRole::kWeight && !decimal.is_negative && decimal.n_digits > 0) {
      ++columns_[column].n_positive;
    }
    if (draft_ == nullptr) return;
    const double value = number_value(decimal, text) + 0.0;
    if (!std::isfinite(static_cast<float>(value))) return drop_draft();
    const auto row =
        static_cast<std::size_t>(draft_->first_row) + static_cast<std::size_t>(place_.row);
    if (float* const out = features_[column]) {
      out[place_.row] = static_cast<float>(value) + 0.0f;
    } else if (roles_[column] == ColumnRole::kValueTarget && draft_->out->target != nullptr) {
      draft_->out->target[row] = value;
    } else if (roles_[column] == ColumnRole::kWeight && draft_->out->weight != nullptr) {
      if (value < 0) return drop_draft();
      draft_->out->weight[row] = value;
    } else if (roles_[column] == ColumnRole::kFold && draft_->out->fold != nullptr) {
      if (!is_fold_number(value)) return drop_draft();
      draft_->out->fold[row] = static_cast<std::int32_t>(value);
    }
  }

  void add_text(std::size_t column) {
    Survey::Column& counts = columns_[column];
    if (cell_.text.empty()) {
      ++counts.n_missing;
      if (counts.first_missing_row < 0) counts.first_missing_row = place_.row;
      if (features_[column] != nullptr) features_[column][place_.row] = kMissing;
      return;
    }
    ++counts.n_texts;
    if (counts.first_text_row < 0) {
      std::string scratch;
      counts.first_text_row = place_.row;
      counts.first_text = plain_text(cell_, scratch);
    }
    const std::uint32_t number = levels_[column].add(cell_);
    if (draft_ == nullptr) return;
    if (roles_[column] != ColumnRole::kClassTarget) return drop_draft();
    if (draft_->out->target != nullptr) {
      draft_->out->target[static_cast<std::size_t>(draft_->first_row) +
                          static_cast<std::size_t>(place_.row)] = number;
    }
  }

  /// The table is not what the draft took it for; from here on cells are only counted.
  void drop_draft() {
    draft_->is_good = false;
    draft_ = nullptr;
    std::fill(features_.begin(), features_.end(), nullptr);
  }

  const CsvText& csv_;
  std::vector<ColumnRole> roles_;
  std::vector<Survey::Column> columns_;
  std::vector<LevelSet> levels_;
  std::vector<float*> features_;  ///< [columns]: the slice's first row in the draft, or null
  DraftSlice* draft_;             ///< null: none, or no more
  RowPlace place_;
  Cell cell_;
};

void merge_column(Survey::Column& column, const Survey::Column& next, std::int64_t n_rows_before) {
  const auto first_row = [&](std::int64_t mine, std::int64_t its) {
    return mine >= 0 || its < 0 ? mine : n_rows_before + its;
  };
  if (column.first_text_row < 0) column.first_text = next.first_text;
  column.first_text_row = first_row(column.first_text_row, next.first_text_row);
  column.first_missing_row = first_row(column.first_missing_row, next.first_missing_row);
  column.n_missing += next.n_missing;
  column.n_numbers += next.n_numbers;
  column.n_texts += next.n_texts;
  column.n_positive += next.n_positive;
  column.levels.insert(next.levels.begin(), next.levels.end());
  column.has_too_many_levels =
      column.has_too_many_levels || next.has_too_many_levels || column.levels.size() > kMaxLevels;
  if (column.has_too_many_levels) column.levels.clear();
}

}  // namespace

std::vector<Slice> cut_into_slices(std::string_view text, int n_slices) {
  require(n_slices >= 1, "a text is cut into at least one slice");
  const auto border = [&](int i) {
    const auto n = static_cast<std::size_t>(n_slices), k = static_cast<std::size_t>(i);
    return text.size() / n * k + text.size() % n * k / n;
  };
  std::vector<Slice> slices;
  for (int i = 0; i < n_slices; ++i) slices.push_back({border(i), border(i + 1), false});
  return slices;
}

Survey survey_slice(const MappedFile& file, const Slice& slice, const ReadRequest& request,
                    DraftSlice* draft) {
  const CsvText csv = open_csv(file);
  return Surveyor(csv, request, draft).run(slice);
}

void Survey::merge(const Survey& next) {
  if (header.empty()) {
    header = next.header;
    columns.resize(header.size());
  }
  require(header == next.header && columns.size() == next.columns.size(),
          "surveys of the same file are merged");
  if (!fault && next.fault) {
    fault = next.fault;
    fault_row = n_rows + next.fault_row;
  }
  for (std::size_t column = 0; column < columns.size(); ++column) {
    merge_column(columns[column], next.columns[column], n_rows);
  }
  n_rows += next.n_rows;
}

Bytes Survey::to_bytes() const {
  ByteWriter out;
  out.put(header);
  out.put(n_rows);
  out.put(fault_row);
  out.put(fault.value_or(""));
  for (const Column& column : columns) {
    for (const auto count : {column.n_missing, column.n_numbers, column.n_texts, column.n_positive,
                             column.first_text_row, column.first_missing_row}) {
      out.put(count);
    }
    out.put(column.first_text);
    out.put(std::vector<std::string>(column.levels.begin(), column.levels.end()));
    out.put(column.has_too_many_levels);
  }
  return out.take();
}

Survey Survey::from_bytes(ByteSpan bytes) {
  ByteReader in(bytes);
  Survey survey;
  survey.header = in.get_strings();
  survey.n_rows = in.get<std::int64_t>();
  survey.fault_row = in.get<std::int64_t>();
  std::string fault_text = in.get_string();
  if (survey.fault_row >= 0) survey.fault = std::move(fault_text);
  survey.columns.resize(survey.header.size());
  for (Column& column : survey.columns) {
    for (auto* count : {&column.n_missing, &column.n_numbers, &column.n_texts, &column.n_positive,
                        &column.first_text_row, &column.first_missing_row}) {
      *count = in.get<std::int64_t>();
    }
    column.first_text = in.get_string();
    const auto texts = in.get_strings();
    column.levels = {texts.begin(), texts.end()};
    column.has_too_many_levels = in.get<bool>();
  }
  require(in.is_at_end(), "a survey's message ends with its last column");
  return survey;
}

}  // namespace orchard::data
