#include "orchard/data/matrix_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "class_labels.hpp"
#include "level_set.hpp"
#include "number.hpp"
#include "orchard/base/text.hpp"

namespace orchard::data {
namespace {

const std::string kMatrix = "x";
constexpr std::size_t kBlockBytes = std::size_t{2} << 20;
constexpr std::size_t kChunkRows = 4096;
constexpr std::size_t kNarrowColumns = 1024;
constexpr RowIndex kBlockRows = 65536;

/// Rows [begin, end) of one block of row-major values, `n_columns` wide, into arrays of their
/// columns; the first row with a value that is no float32, or -1.
std::int64_t spread(const float* block, std::size_t n_columns, std::span<const std::size_t> columns,
                    std::size_t begin, std::size_t end, std::size_t offset,
                    std::span<float* const> out) {
  constexpr std::size_t kTileRows = 16;  // a cache line of each column
  std::int64_t wrong_row = -1;
  for (std::size_t tile = begin; tile < end && wrong_row < 0; tile += kTileRows) {
    const std::size_t tile_end = std::min(end, tile + kTileRows);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (std::size_t row = tile; row < tile_end; ++row) {
        const float value = block[row * n_columns + columns[i]] + 0.0f;
        if (std::isinf(value) && (wrong_row < 0 || static_cast<std::int64_t>(row) < wrong_row)) {
          wrong_row = static_cast<std::int64_t>(row);
        }
        out[i][offset + row] = value;
      }
    }
  }
  return wrong_row;
}

}  // namespace

MatrixFile::MatrixFile(const std::string& path, const ReadRequest& request)
    : file_(path),
      path_(path),
      changed_at_(std::filesystem::last_write_time(path)),
      request_(request) {
  const auto shape = file_.shape(kMatrix);
  if (shape.size() != 2) {
    file_.fail(kMatrix, format("has {} dimension, expected two: rows and features", shape.size()));
  }
  if (shape[0] == 0 || shape[1] == 0) {
    file_.fail(kMatrix,
               format("has {} of {}", counted(shape[0], "row"), counted(shape[1], "feature")));
  }
  if (shape[0] >= std::numeric_limits<RowIndex>::max()) {
    file_.fail(kMatrix, format("{} rows; a table holds at most 4,294,967,294", shape[0]));
  }
  if (shape[1] > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
    file_.fail(kMatrix, format("{} features; a table holds at most 2,147,483,647", shape[1]));
  }
  layout_.n_rows = static_cast<RowIndex>(shape[0]);
  n_columns_ = static_cast<std::size_t>(shape[1]);
  find_features();
  const auto settle = [&](const std::string& name, const std::string& use, std::int32_t& column) {
    if (name.empty()) return;
    check_vector(name, use);
    column = 0;
  };
  settle(request_.target, "target", layout_.target_column);
  settle(request_.weight, "weight", layout_.weight_column);
  settle(request_.fold_column, "fold column", layout_.fold_column);
}

void MatrixFile::find_features() {
  const auto column_of = [&](const std::string& name) -> std::int32_t {
    const auto number = name.starts_with(kMatrix) ? parse_int(name.substr(1)) : std::nullopt;
    const bool is_there = number && *number >= 0 &&
                          static_cast<std::uint64_t>(*number) < n_columns_ &&
                          name == format("{}{}", kMatrix, *number);
    return is_there ? static_cast<std::int32_t>(*number) : -1;
  };
  const auto check_known = [&](const std::string& name, const std::string& use) {
    if (column_of(name) >= 0) return;
    file_.fail(kMatrix, format("no feature '{}' for {}", escape(name), use),
               format("Features of an HDF5 file are named x0 to x{}.", n_columns_ - 1));
  };
  if (request_.schema != nullptr) {
    layout_.schema = *request_.schema;
    for (const auto& feature : request_.schema->features) {
      check_known(feature.name, "a feature of the model");
      if (feature.kind != model::FeatureKind::kNumeric) {
        file_.fail(kMatrix,
                   format("the model takes '{}' as categorical, which HDF5 input cannot be",
                          escape(feature.name)));
      }
      layout_.column_of_feature.push_back(column_of(feature.name));
    }
    return;
  }
  for (const auto& name : request_.drop) check_known(name, "drop");
  if (!request_.categorical_features.empty()) {
    file_.fail(kMatrix, "categorical_features cannot be read from HDF5", "Use CSV for them.");
  }
  layout_.schema.target = request_.target;
  layout_.schema.task = request_.task;
  for (std::size_t column = 0; column < n_columns_; ++column) {
    std::string name = format("{}{}", kMatrix, column);
    if (std::find(request_.drop.begin(), request_.drop.end(), name) != request_.drop.end())
      continue;
    layout_.column_of_feature.push_back(static_cast<std::int32_t>(column));
    layout_.schema.features.push_back({std::move(name), model::FeatureKind::kNumeric, {}});
  }
  if (layout_.column_of_feature.empty()) file_.fail(kMatrix, "no column is left as a feature");
}

void MatrixFile::check_vector(const std::string& name, const std::string& use) const {
  const auto names = file_.datasets();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string hint = did_you_mean(name, names);
    file_.fail("", format("no dataset '{}' for the {}.", escape(name), use),
               hint + (hint.empty() ? "" : " ") + "The file holds: " + join(names, ", ") + ".");
  }
  const auto shape = file_.shape(name);
  const bool is_column = shape.size() == 1 || shape[1] == 1;
  if (!is_column || shape[0] != layout_.n_rows) {
    file_.fail(name,
               format("has the shape [{}{}], expected [{}] for the {}, as x has rows", shape[0],
                      shape.size() == 2 ? format(", {}", shape[1]) : "", layout_.n_rows, use));
  }
}

template <class Use>
void MatrixFile::for_values(const std::string& name, const std::string& use, RowIndex first,
                            RowIndex last, Use&& take) const {
  std::vector<double> values;
  for (std::uint64_t begin = first; begin < last; begin += kBlockRows) {
    values.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kBlockRows, last - begin)));
    file_.read_rows(name, begin, begin + values.size(), values.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) file_.fail(name, format("row {}: the {} is NaN", begin + i, use));
      if (!std::isfinite(static_cast<float>(values[i]))) {
        file_.fail(name, format("row {}: {} is beyond the range of numbers (3.4e38)", begin + i,
                                print_double(values[i])));
      }
      take(begin + i, values[i] + 0.0);
    }
  }
}

std::set<std::string> MatrixFile::labels(RowIndex first, RowIndex last) const {
  std::set<double> values;
  for_values(request_.target, "target", first, last, [&](std::uint64_t, double value) {
    if (values.size() <= kMaxLevels) values.insert(value);
  });
  std::set<std::string> texts;
  for (const double value : values) texts.insert(print_double(value));
  return texts;
}

void MatrixFile::set_labels(const std::set<std::string>& labels) {
  if (labels.size() > kMaxLevels) {
    file_.fail(request_.target, format("holds more than {} different labels", kMaxLevels),
               "Measured values are for regressors.");
  }
  layout_.schema.classes = class_labels(labels);
  if (layout_.schema.n_classes() >= 2) return;
  file_.fail(request_.target, format("holds one class only, '{}'; at least two are needed",
                                     layout_.schema.classes.at(0)));
}

void MatrixFile::read_vectors(RowIndex first, RowIndex last, const TableBuffers& out) const {
  const bool has_classes = layout_.schema.task == Task::kClassification;
  if (out.target != nullptr) {
    const ClassIndex classes(layout_.schema.classes);
    double known_label = std::numeric_limits<double>::quiet_NaN();
    double known_class = 0;
    for_values(request_.target, "target", first, last, [&](std::uint64_t row, double value) {
      if (has_classes && value != known_label) {
        known_label = value;
        known_class = classes.find(print_double(value));
        if (known_class < 0) {
          file_.fail(request_.target,
                     format("row {}: {} is none of the classes ({})", row, print_double(value),
                            escape(join(layout_.schema.classes, ", "), 200)));
        }
      }
      out.target[row] = has_classes ? known_class : value;
    });
  }
  if (out.weight != nullptr) {
    for_values(request_.weight, "weight", first, last, [&](std::uint64_t row, double value) {
      if (value < 0) {
        file_.fail(request_.weight, format("row {}: {} is no weight: weights are not negative", row,
                                           print_double(value)));
      }
      out.weight[row] = value;
    });
  }
  if (out.fold != nullptr) {
    for_values(request_.fold_column, "fold", first, last, [&](std::uint64_t row, double value) {
      if (!is_fold_number(value)) {
        file_.fail(request_.fold_column,
                   format("row {}: {} is no fold: an integer from 0, or -1 for always training",
                          row, print_double(value)));
      }
      out.fold[row] = static_cast<std::int32_t>(value);
    });
  }
}

void MatrixFile::read(std::size_t first_feature, std::size_t last_feature, RowIndex first_row,
                      RowIndex last_row, std::span<float* const> out, parallel::Pool& pool) const {
  const auto features =
      std::span(layout_.column_of_feature).subspan(first_feature, last_feature - first_feature);
  if (features.empty()) return;
  // Narrow rows are read whole: to pick columns costs HDF5 more than to copy them.
  const auto [least, greatest] = std::minmax_element(features.begin(), features.end());
  const bool is_narrow = n_columns_ <= kNarrowColumns;
  const auto begin = is_narrow ? 0 : static_cast<std::size_t>(*least);
  const auto end = is_narrow ? n_columns_ : static_cast<std::size_t>(*greatest) + 1;
  std::vector<std::size_t> columns;
  for (const auto column : features) columns.push_back(static_cast<std::size_t>(column) - begin);
  const std::size_t width = end - begin;
  const std::size_t n_block_rows = std::max<std::size_t>(1, kBlockBytes / (width * sizeof(float)));
  std::vector<float> block;
  for (std::uint64_t row = first_row; row < last_row; row += n_block_rows) {
    pool.poll();
    const auto n_rows =
        static_cast<std::size_t>(std::min<std::uint64_t>(n_block_rows, last_row - row));
    block.resize(n_rows * width);
    file_.read_block(kMatrix, row, row + n_rows, begin, end, block.data());
    pool.for_chunks(n_rows, kChunkRows, [&](std::size_t from, std::size_t to, int) {
      const auto wrong = spread(block.data(), width, columns, from, to, row - first_row, out);
      if (wrong >= 0) {
        file_.fail(kMatrix,
                   format("row {} holds a value that is infinite or beyond the range of "
                          "numbers (3.4e38)",
                          row + static_cast<std::uint64_t>(wrong)),
                   "NaN is missing.");
      }
    });
  }
  if (std::filesystem::last_write_time(path_) != changed_at_) {
    file_.fail("", "was changed while it was being read");
  }
}

}  // namespace orchard::data
