#pragma once
// A table in memory that the ranks of a node share.

#include <vector>

#include "orchard/comm/communicator.hpp"
#include "orchard/data/csv.hpp"
#include "orchard/parallel/pool.hpp"

namespace orchard::run {

/// Where the parts of a table lie in one block of memory, each on a border of 64 bytes.
class Placement {
 public:
  explicit Placement(const data::Layout& layout, bool holds_features = true) : layout_(layout) {
    const std::size_t n_rows = layout.n_rows;
    for (std::size_t f = 0; f < (holds_features ? layout.schema.n_features() : 0); ++f) {
      columns_.push_back(place(n_rows * sizeof(float)));
    }
    target_ = place(layout.target_column >= 0 ? n_rows * sizeof(double) : 0);
    weight_ = place(layout.weight_column >= 0 ? n_rows * sizeof(double) : 0);
    fold_ = place(layout.fold_column >= 0 ? n_rows * sizeof(std::int32_t) : 0);
  }
  std::size_t n_bytes() const { return end_; }

  data::TableBuffers buffers(std::byte* memory) const {
    data::TableBuffers out;
    for (const auto at : columns_) out.columns.push_back(reinterpret_cast<float*>(memory + at));
    if (layout_.target_column >= 0) out.target = reinterpret_cast<double*>(memory + target_);
    if (layout_.weight_column >= 0) out.weight = reinterpret_cast<double*>(memory + weight_);
    if (layout_.fold_column >= 0) out.fold = reinterpret_cast<std::int32_t*>(memory + fold_);
    return out;
  }

 private:
  std::size_t place(std::size_t n_bytes) {
    const auto at = end_;
    end_ += (n_bytes + 63) / 64 * 64;
    return at;
  }
  const data::Layout& layout_;
  std::vector<std::size_t> columns_;
  std::size_t target_ = 0, weight_ = 0, fold_ = 0, end_ = 0;
};

/// The table that lies in `buffers`.
data::Table view(const data::Layout& layout, const data::TableBuffers& buffers);

/// The table's digest, made by all ranks of the node. Collective.
Digest128 shared_digest(comm::Communicator& node, const data::Table& table, parallel::Pool& pool);

}  // namespace orchard::run
