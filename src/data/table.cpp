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

void add_source(Digester& digester, const Table& table, RowIndex begin, RowIndex n_rows,
                std::vector<float>& scratch, parallel::Pool& pool) {
  const std::size_t n_features = table.schema.n_features();
  const std::size_t n_part =
      std::clamp<std::size_t>(Table::kPartBytes / (n_rows * sizeof(float)), 1, n_features);
  std::vector<float> part(n_part * n_rows);
  for (std::size_t first = 0; first < n_features; first += n_part) {
    const std::size_t last = std::min(n_features, first + n_part);
    std::vector<float*> columns;
    for (std::size_t i = 0; i < last - first; ++i) columns.push_back(part.data() + i * n_rows);
    table.source->read(first, last, begin, begin + n_rows, columns, pool);
    for (const float* column : columns) add_column(digester, {column, n_rows}, scratch);
  }
}

Digest128 block_digest(const Table& table, RowIndex begin, std::vector<float>& scratch,
                       parallel::Pool& pool) {
  const RowIndex n_rows = std::min(kBlockRows, table.n_rows - begin);
  Digester digester;
  if (table.source != nullptr) {
    add_source(digester, table, begin, n_rows, scratch, pool);
  } else {
    for (const float* column : table.columns) {
      add_column(digester, {column + begin, n_rows}, scratch);
    }
  }
  add_block(digester, table.target, begin, n_rows);
  add_block(digester, table.weight, begin, n_rows);
  add_block(digester, table.fold, begin, n_rows);
  return digester.value();
}

}  // namespace

std::size_t n_digest_blocks(const Table& table) {
  return (std::size_t{table.n_rows} + kBlockRows - 1) / kBlockRows;
}

std::vector<Digest128> block_digests(const Table& table, std::size_t first, std::size_t last,
                                     parallel::Pool& pool) {
  std::vector<Digest128> digests(last - first);
  std::vector<std::vector<float>> scratch(static_cast<std::size_t>(pool.n_threads()));
  const auto digest_one = [&](std::size_t i, int thread) {
    digests[i] = block_digest(table, static_cast<RowIndex>((first + i) * kBlockRows),
                              scratch[static_cast<std::size_t>(thread)], pool);
  };
  if (table.source != nullptr) {  // which shares the pool itself
    for (std::size_t i = 0; i < digests.size(); ++i) digest_one(i, 0);
  } else {
    pool.for_chunks(digests.size(), 1,
                    [&](std::size_t i, std::size_t, int thread) { digest_one(i, thread); });
  }
  return digests;
}

Digest128 table_digest(const Table& table, std::span<const Digest128> blocks) {
  Digester digests;
  const auto add = [&](const Digest128& part) { digests.add(std::as_bytes(std::span(&part, 1))); };
  add(schema_digest(table));
  for (const auto& block : blocks) add(block);
  return digests.value();
}

Digest128 table_digest(const Table& table) {
  parallel::Pool pool(1);
  return table_digest(table, block_digests(table, 0, n_digest_blocks(table), pool));
}

}  // namespace orchard::data
