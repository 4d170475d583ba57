#include "forest/class/kernels.hpp"

#include <algorithm>
#include <bit>

#include "orchard/base/instruction_set.hpp"

namespace orchard::learn::classes {
namespace {

/// A left side that grows, with what ExactGini::score asks of it.
struct Left {
  std::array<std::uint16_t, kMaxClasses> counts{};
  std::uint32_t weight = 0, squares = 0, products = 0;  ///< products with the node's counts

  void add(const std::uint16_t* more, const ShortNode& node) {
    for (std::size_t c = 0; c < kMaxClasses; ++c) {
      const std::uint32_t own = counts[c], other = more[c];
      weight += other;
      squares += other * (2 * own + other);
      products += other * node.counts[c];
      counts[c] = static_cast<std::uint16_t>(own + other);
    }
  }
  double score(const ShortNode& node) const {
    const std::uint32_t right_squares = node.squares + squares - 2 * products;
    return static_cast<double>(squares) / static_cast<double>(weight) +
           static_cast<double>(right_squares) / static_cast<double>(node.weight - weight);
  }
};

bool is_occupied(const std::uint16_t* counts) {
  return std::any_of(counts, counts + kMaxClasses, [](std::uint16_t n) { return n != 0; });
}

void choose(const FeatureCells& at, std::size_t position, const Left& left, bool is_missing_left,
            Choice& best) {
  best.feature = at.feature;
  best.has_missing = is_occupied(at.cells->counts[at.list.missing_bin]);
  best.is_missing_left = is_missing_left;
  best.left_bin = at.list.bins[position];
  const Bin* end = at.list.bins + at.list.n;
  const Bin* next = std::find_if(at.list.bins + position + 1, end,
                                 [&](Bin bin) { return is_occupied(at.cells->counts[bin]); });
  best.right_bin = next != end ? *next : at.list.missing_bin;
  std::copy(left.counts.begin(), left.counts.end(), best.left.begin());
}

/// Bins without rows would repeat the left side before them.
bool search_feature(const FeatureCells& at, const ShortNode& node, Choice& best) {
  const std::uint16_t* missing = at.cells->counts[at.list.missing_bin];
  const bool has_missing = is_occupied(missing);
  const std::uint32_t n_missing =
      has_missing && at.n_rows != nullptr ? at.n_rows[at.list.missing_bin] : 0;
  const auto is_allowed = [&](std::uint32_t n_left) {
    return at.n_rows == nullptr ||
           (n_left >= node.n_leaf_rows && node.n_rows - n_left >= node.n_leaf_rows);
  };
  Left sides[2];  // without and with missing
  if (has_missing) sides[1].add(missing, node);
  std::uint32_t n_left = 0;
  bool is_varied = false;
  const std::size_t n = has_missing ? at.list.n : at.list.n - 1;
  for (std::size_t i = 0; i < n; ++i) {
    const Bin bin = at.list.bins[i];
    const std::uint16_t* here = at.cells->counts[bin];
    if (!is_occupied(here)) continue;
    if (at.n_rows != nullptr) n_left += at.n_rows[bin];
    for (const bool is_missing_left : {true, false}) {
      Left& left = sides[is_missing_left ? 1 : 0];
      if (is_missing_left && !has_missing) continue;
      left.add(here, node);
      if (left.weight == node.weight || !is_allowed(n_left + (is_missing_left ? n_missing : 0))) {
        continue;
      }
      is_varied = true;
      const double score = left.score(node);
      if (!(score > best.score)) continue;
      best.score = score;
      choose(at, i, left, is_missing_left, best);
    }
  }
  return is_varied;
}

bool search_cells(const FeatureCells* features, std::size_t n_features, const ShortNode& node,
                  Choice& best) {
  bool is_varied = false;
  for (std::size_t f = 0; f < n_features; ++f) is_varied |= search_feature(features[f], node, best);
  return is_varied;
}

Summary summarize(const Counts& counts) {
  Summary out;
  for (std::size_t c = 0; c < kMaxClasses; ++c) {
    out.weight += counts[c];
    out.classes |= static_cast<std::uint32_t>(counts[c] != 0) << c;
  }
  return out;
}

void start_short(const Counts& counts, ShortNode& node) {
  node.weight = node.squares = 0;
  for (std::size_t c = 0; c < kMaxClasses; ++c) {
    node.counts[c] = static_cast<std::uint16_t>(counts[c]);
    node.weight += counts[c];
    node.squares += counts[c] * counts[c];
  }
}

constexpr Kernels kBaselineKernels{search_cells, summarize, start_short, sum_contrasts};

}  // namespace

double sum_contrasts(const Counts& left, std::uint32_t left_weight, const Counts& node,
                     const Summary& summary) {
  double sum = 0;
  for (std::uint32_t classes = summary.classes; classes != 0; classes &= classes - 1) {
    const auto c = static_cast<std::size_t>(std::countr_zero(classes));
    const auto contrast =
        static_cast<std::int64_t>(left[c]) * static_cast<std::int64_t>(summary.weight) -
        static_cast<std::int64_t>(node[c]) * static_cast<std::int64_t>(left_weight);
    const double d = static_cast<double>(contrast) / static_cast<double>(summary.weight);
    sum += d * d;
  }
  return sum;
}

Kernels choose_kernels() {
#if ORCHARD_HAS_X86_64
  return *choose_version(&kBaselineKernels, &kAvx2Kernels, &kAvx512Kernels);
#else
  return kBaselineKernels;
#endif
}

}  // namespace orchard::learn::classes
