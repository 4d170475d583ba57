#include "bench_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/random/stream.hpp"

namespace orchard::bench {
namespace {

/// The numbers in "'shape': (a, b)" of a .npy header.
std::vector<std::size_t> shape_of(const std::string& header) {
  const auto open = header.find('(', header.find("'shape'"));
  const auto close = header.find(')', open);
  std::vector<std::size_t> shape;
  for (const auto& part : split(header.substr(open + 1, close - open - 1), ',')) {
    if (const auto n = parse_int(trim(part))) shape.push_back(static_cast<std::size_t>(*n));
  }
  return shape;
}

void set_schema(BenchTable& out, Kind kind, std::size_t n_features) {
  auto& schema = out.table.schema;
  schema.target = "label";
  for (std::size_t f = 0; f < n_features; ++f) {
    schema.features.push_back({format("x{}", f), model::FeatureKind::kNumeric, {}});
  }
  schema.task = kind == Kind::kRegression ? Task::kRegression : Task::kClassification;
  if (kind == Kind::kRegression) return;
  const double last = *std::max_element(out.target.begin(), out.target.end());
  for (int c = 0; c <= static_cast<int>(last); ++c) schema.classes.push_back(format("{}", c));
}

void set_views(BenchTable& out) {
  out.table.n_rows = static_cast<RowIndex>(out.target.size());
  for (const auto& column : out.columns) out.table.columns.push_back(column.data());
  out.table.target = out.target;
}

void append(const Matrix& matrix, std::size_t n_rows, BenchTable& out) {
  out.columns.resize(matrix.n_columns - 1);
  for (std::size_t f = 0; f < out.columns.size(); ++f) {
    auto& column = out.columns[f];
    const std::size_t before = column.size();
    column.resize(before + n_rows);
    for (std::size_t row = 0; row < n_rows; ++row) {
      column[before + row] = matrix.values[row * matrix.n_columns + 1 + f];
    }
  }
  for (std::size_t row = 0; row < n_rows; ++row) {
    out.target.push_back(static_cast<double>(matrix.values[row * matrix.n_columns]));
  }
}

}  // namespace

data::Fold BenchTable::rows(RowIndex begin, RowIndex end) {
  data::Fold fold;
  fold.train.resize(end - begin);
  std::iota(fold.train.begin(), fold.train.end(), begin);
  return fold;
}

data::Fold BenchTable::train_and_test() const {
  data::Fold fold = rows(0, n_train);
  fold.test = rows(n_train, table.n_rows).train;
  return fold;
}

model::FeatureColumns BenchTable::features(RowIndex begin, RowIndex end) const {
  model::FeatureColumns out = table.features();
  for (auto& column : out.columns) column += begin;
  out.n_rows = end - begin;
  return out;
}

Matrix read_npy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[10] = {};
  if (!file.read(magic, sizeof magic) || std::memcmp(magic, "\x93NUMPY\x01", 7) != 0) {
    throw Error(ErrorKind::kData, "is no .npy file of version 1", path);
  }
  const auto low = static_cast<unsigned char>(magic[8]);
  const auto high = static_cast<unsigned char>(magic[9]);
  std::string header(static_cast<std::size_t>(low) + 256 * static_cast<std::size_t>(high), ' ');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  const auto shape = shape_of(header);
  if (header.find("'<f4'") == std::string::npos || shape.size() != 2 ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw Error(ErrorKind::kData, "holds no float32 matrix in C order", path);
  }
  Matrix out{shape[0], shape[1], std::vector<float>(shape[0] * shape[1])};
  file.read(reinterpret_cast<char*>(out.values.data()),
            static_cast<std::streamsize>(out.values.size() * sizeof(float)));
  if (!file) throw Error(ErrorKind::kData, "is shorter than its header says", path);
  return out;
}

BenchTable load_table(const std::string& folder, const std::string& name, Kind kind,
                      RowIndex n_train, bool with_test) {
  BenchTable out;
  {
    const auto train = read_npy(format("{}/{}_train.npy", folder, name));
    const auto n_rows = n_train == 0 ? train.n_rows : std::min<std::size_t>(n_train, train.n_rows);
    append(train, n_rows, out);
    out.n_train = static_cast<RowIndex>(n_rows);
  }
  if (with_test) {
    const auto test = read_npy(format("{}/{}_test.npy", folder, name));
    append(test, test.n_rows, out);
  }
  set_views(out);
  set_schema(out, kind, out.columns.size());
  return out;
}

BenchTable draw_table(RowIndex n_train, RowIndex n_test, std::size_t n_features) {
  const std::size_t n_rows = std::size_t{n_train} + n_test;
  BenchTable out;
  out.n_train = n_train;
  out.columns.assign(n_features, std::vector<float>(n_rows));
  out.target.resize(n_rows);
  // Four values of 16 bits from one number: cheap, and plenty for bins.
  for (std::size_t f = 0; f < n_features; ++f) {
    const random::Stream stream(f, random::Purpose::kBinSample, 0);
    for (std::size_t row = 0; row < n_rows; row += 16) {
      const auto block = stream.block(row / 16);
      for (std::size_t k = 0; k < std::min<std::size_t>(16, n_rows - row); ++k) {
        const auto bits = static_cast<std::uint16_t>(block[k / 4] >> (16 * (k % 4)));
        out.columns[f][row + k] = static_cast<float>(bits) / 65536.0F - 0.5F;
      }
    }
  }
  const random::Stream noise(n_features, random::Purpose::kValidation, 0);
  const auto value = [&](std::size_t f, std::size_t row) {
    return static_cast<double>(out.columns[f % n_features][row]);
  };
  for (std::size_t row = 0; row < n_rows; ++row) {
    const double score = 3 * value(0, row) + 8 * value(1, row) * value(2, row) +
                         std::sin(9 * value(3, row)) + 2 * std::abs(value(4, row)) - 0.5;
    out.target[row] = noise.real(row) < 1 / (1 + std::exp(-2 * score)) ? 1 : 0;
  }
  set_views(out);
  set_schema(out, Kind::kBinary, n_features);
  return out;
}

}  // namespace orchard::bench
