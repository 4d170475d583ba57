#pragma once
// A table in memory: one float32 column a feature, whatever the file was.

#include <memory>
#include <span>
#include <vector>

#include "orchard/base/digest.hpp"
#include "orchard/base/types.hpp"
#include "orchard/model/ensemble.hpp"
#include "orchard/model/schema.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::data {

/// Features of a table that nobody holds: they are read where they are needed, a part at a time.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  /// Features [first_feature, last_feature) of rows [first_row, last_row) into out[i], one array a
  /// feature. Throws kData. Local, thread 0 of the pool only.
  virtual void read(std::size_t first_feature, std::size_t last_feature, RowIndex first_row,
                    RowIndex last_row, std::span<float* const> out, parallel::Pool& pool) const = 0;
};

/// Borrowed views of columns that somebody else owns (`run`: memory shared by a node's ranks).
struct Table {
  model::Schema schema;
  RowIndex n_rows = 0;
  /// [n_features], each [n_rows]: the number, or the level id; NaN where missing. -0.0 is 0.0. All
  /// null when there is a source instead.
  std::vector<const float*> columns;
  std::span<const double> target;      ///< [n_rows] class index or value; empty for prediction
  std::span<const double> weight;      ///< [n_rows] positive or zero; empty: all one
  std::span<const std::int32_t> fold;  ///< [n_rows] of the fold column; empty without one

  std::shared_ptr<const ColumnSource> source = nullptr;

  /// Memory for the columns that are read from the source at once.
  static constexpr std::size_t kPartBytes = std::size_t{24} << 20;

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
