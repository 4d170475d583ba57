#include "orchard/data/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "orchard/base/bytes.hpp"

namespace orchard::data {
namespace {

constexpr RowIndex kBlockRows = 65536;

Digest128 schema_digest(const Table& table) {
  ByteWriter out;
  out.put(table.schema.classes);
  out.put(table.schema.target);
  out.put(table.schema.task);
  out.put<std::uint64_t>(table.n_rows);
  out.put<std::uint64_t>(table.schema.n_features());
  for (const auto& feature : table.schema.features) {
    out.put(feature.name);
    out.put(feature.kind);
    out.put(feature.levels);
  }
  for (const bool is_there : {!table.target.empty(), !table.weight.empty(), !table.fold.empty()}) {
    out.put(is_there);
  }
  return digest(out.bytes());
}

/// Adds values with one bit pattern for missing and one for zero.
void add_column(Digester& digester, std::span<const float> values, std::vector<float>& scratch) {
  scratch.resize(values.size());
  std::transform(values.begin(), values.end(), scratch.begin(), [](float value) {
    return std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value + 0.0f;
  });
  digester.add(std::as_bytes(std::span<const float>(scratch)));
}

template <class T>
void add_block(Digester& digester, std::span<const T> values, RowIndex begin, RowIndex n_rows) {
  if (!values.empty()) digester.add(std::as_bytes(values.subspan(begin, n_rows)));
}

Digest128 block_digest(const Table& table, RowIndex begin, std::vector<float>& scratch) {
  const RowIndex n_rows = std::min(kBlockRows, table.n_rows - begin);
  Digester digester;
  for (const float* column : table.columns) {
    add_column(digester, {column + begin, n_rows}, scratch);
  }
  add_block(digester, table.target, begin, n_rows);
  add_block(digester, table.weight, begin, n_rows);
  add_block(digester, table.fold, begin, n_rows);
  return digester.value();
}

}  // namespace

Digest128 table_digest(const Table& table) {
  Digester digests;
  const auto add = [&](const Digest128& part) { digests.add(std::as_bytes(std::span(&part, 1))); };
  add(schema_digest(table));
  std::vector<float> scratch;
  for (std::uint64_t begin = 0; begin < table.n_rows; begin += kBlockRows) {
    add(block_digest(table, static_cast<RowIndex>(begin), scratch));
  }
  return digests.value();
}

}  // namespace orchard::data
