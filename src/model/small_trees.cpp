#include "small_trees.hpp"

#include <algorithm>
#include <bit>

#include "orchard/base/instruction_set.hpp"

namespace orchard::model {
namespace {

constexpr std::size_t kRows = SmallTrees::kRows;

/// Adds what the bytes of one output have come to.
void flush(const ByteSums& bytes, std::size_t n_bytes, std::int64_t least, std::size_t n_rows,
           std::size_t stride, std::int64_t* out) {
  std::uint64_t total[kRows] = {};
  for (std::size_t b = 0; b < n_bytes; ++b) {
    for (std::size_t i = 0; i < ByteSums::kWords; ++i) {
      const std::uint16_t odd = bytes.odd[b][i];
      const auto even = static_cast<std::uint16_t>(bytes.mixed[b][i] - (odd << 8));
      total[2 * i] += std::uint64_t{even} << (8 * b);
      total[2 * i + 1] += std::uint64_t{odd} << (8 * b);
    }
  }
  for (std::size_t row = 0; row < n_rows; ++row) {
    out[row * stride] += static_cast<std::int64_t>(total[row] + static_cast<std::uint64_t>(least));
  }
}

}  // namespace

void SmallTrees::add(const Tree& tree, const RowCoder& coder, std::size_t first_output) {
  const auto split_of = [&](std::size_t node) { return coder.split_of(tree, node); };
  SmallTree out{LeafPlanes(tree, split_of), first_output, {}, {}, {}};
  for (const NodeIndex leaf : out.planes.leaves) {
    const auto row = static_cast<std::size_t>(tree.value_row[static_cast<std::size_t>(leaf)]);
    const auto* value = tree.values.data() + row * n_values_;
    out.values.insert(out.values.end(), value, value + n_values_);
  }
  make_value_bytes(out);
  trees_.push_back(std::move(out));
}

void SmallTrees::make_value_bytes(SmallTree& tree) const {
  const std::size_t n_leaves = tree.values.size() / n_values_;
  tree.least.assign(tree.values.begin(),
                    tree.values.begin() + static_cast<std::ptrdiff_t>(n_values_));
  const auto above_least = [&](std::size_t leaf, std::size_t k) {
    return static_cast<std::uint64_t>(tree.values[leaf * n_values_ + k]) -
           static_cast<std::uint64_t>(tree.least[k]);
  };
  std::uint64_t all = 0;
  for (std::size_t k = 0; k < n_values_; ++k) {
    for (std::size_t leaf = 0; leaf < n_leaves; ++leaf) {
      tree.least[k] = std::min(tree.least[k], tree.values[leaf * n_values_ + k]);
    }
    for (std::size_t leaf = 0; leaf < n_leaves; ++leaf) all |= above_least(leaf, k);
  }
  tree.n_bytes = (static_cast<std::size_t>(std::bit_width(all)) + 7) / 8;
  tree.value_bytes.resize(n_values_ * tree.n_bytes * LeafPlanes::kMaxLeaves);
  auto* byte = tree.value_bytes.data();
  for (std::size_t k = 0; k < n_values_; ++k) {
    for (std::size_t b = 0; b < tree.n_bytes; ++b, byte += LeafPlanes::kMaxLeaves) {
      for (std::size_t leaf = 0; leaf < n_leaves; ++leaf) {
        byte[leaf] = static_cast<std::uint8_t>(above_least(leaf, k) >> (8 * b));
      }
    }
  }
}

void SmallTrees::accumulate(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const {
#if ORCHARD_HAS_X86_64
  if (instruction_set() >= InstructionSet::kAvx512) return accumulate_bytes(codes, n_rows, sums);
#endif
  FindLeaves* const find = find_leaves();
  std::uint8_t leaves[kRows];
  for (const auto& tree : trees_) {
    find(tree.planes, codes, leaves);
    std::int64_t* out = sums + tree.first_output;
    for (std::size_t row = 0; row < n_rows; ++row, out += n_outputs_) {
      const std::int64_t* value = tree.values.data() + leaves[row] * n_values_;
      for (std::size_t k = 0; k < n_values_; ++k) out[k] += value[k];
    }
  }
}

#if ORCHARD_HAS_X86_64
/// Bytes of values are added up apart, 64 rows at a time, and joined at the end.
void SmallTrees::accumulate_bytes(const Bin* codes, std::size_t n_rows, std::int64_t* sums) const {
  alignas(64) std::uint8_t leaves[kRows];
  std::vector<ByteSums> bytes(n_outputs_);
  std::vector<std::int64_t> least(n_outputs_);
  for (std::size_t begin = 0; begin < trees_.size(); begin += ByteSums::kMaxTrees) {
    const std::size_t end = std::min(begin + ByteSums::kMaxTrees, trees_.size());
    std::fill(bytes.begin(), bytes.end(), ByteSums{});
    std::fill(least.begin(), least.end(), 0);
    std::size_t n_bytes = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const SmallTree& tree = trees_[i];
      find_leaves_avx512(tree.planes, codes, leaves);
      n_bytes = std::max(n_bytes, tree.n_bytes);
      for (std::size_t k = 0; k < n_values_; ++k) {
        least[tree.first_output + k] += tree.least[k];
        add_value_bytes_avx512(tree.value_bytes.data() + k * tree.n_bytes * LeafPlanes::kMaxLeaves,
                               tree.n_bytes, leaves, bytes[tree.first_output + k]);
      }
    }
    for (std::size_t output = 0; output < n_outputs_; ++output) {
      flush(bytes[output], n_bytes, least[output], n_rows, n_outputs_, sums + output);
    }
  }
}
#endif

}  // namespace orchard::model
