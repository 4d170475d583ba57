#pragma once
// A table in memory: one float32 column a feature, whatever the file was.

#include <span>
#include <vector>

#include "orchard/base/digest.hpp"
#include "orchard/base/types.hpp"
#include "orchard/model/ensemble.hpp"
#include "orchard/model/schema.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::data {

/// Borrowed views of columns that somebody else owns (`run`: memory shared by a node's ranks).
struct Table {
  model::Schema schema;
  RowIndex n_rows = 0;
  /// [n_features], each [n_rows]: the number, or the level id; NaN where missing. -0.0 is 0.0.
  std::vector<const float*> columns;
  std::span<const double> target;      ///< [n_rows] class index or value; empty for prediction
  std::span<const double> weight;      ///< [n_rows] positive or zero; empty: all one
  std::span<const std::int32_t> fold;  ///< [n_rows] of the fold column; empty without one

  model::FeatureColumns features() const { return {columns, n_rows}; }
};

/// Digest of everything in a table that can change a result: schema, values, target, weights,
/// folds, over fixed blocks of rows in order. Independent of file format and of who reads.
Digest128 table_digest(const Table& table);
/// The same from parts: digests of blocks [first, last) of n_digest_blocks(table), made by whoever
/// wants to, and joined in order. Local.
std::size_t n_digest_blocks(const Table& table);
std::vector<Digest128> block_digests(const Table& table, std::size_t first, std::size_t last,
                                     parallel::Pool& pool);
Digest128 table_digest(const Table& table, std::span<const Digest128> blocks);

}  // namespace orchard::data
