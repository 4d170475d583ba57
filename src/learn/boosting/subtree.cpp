#include "boosting/subtree.hpp"

#include <algorithm>
#include <numeric>

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kTile = 16;  // columns of a pass over wide rows

}  // namespace

SubtreeGrower::SubtreeGrower(const data::BinnedData& data,
                             const options::BoostingSettings& settings,
                             const HistogramLayout& layout, const TrainingRows& rows,
                             double weight_scale, parallel::Pool& pool)
    : data_(data),
      columns_(data.binning->row_columns),
      settings_(settings),
      layout_(layout),
      rows_(rows),
      weight_scale_(weight_scale),
      pool_(pool),
      candidates_(data.n_features()),
      large_candidates_(data.n_features()) {}

void SubtreeGrower::grow(const QuantisedGradients& gradients, const SplitRules& rules,
                         const Histogram* histogram, Subtree& subtree) {
  rules_of_tree_ = &rules;
  subtree_ = &subtree;
  const std::size_t n_rows = subtree.rows.size();
  subtree.list.assign(n_rows, 0);
  std::iota(subtree.list.begin(), subtree.list.end(), 0U);
  subtree.nodes[0].places = {0, static_cast<std::uint32_t>(n_rows)};
  gather(gradients);
  Words& words = histogram_at(0);
  if (histogram != nullptr) {
    pack_histogram(*histogram, words);
  } else {
    build(subtree.nodes[0], words);
  }
  search(0, words, candidates_);
  if (find_split(0, words, candidates_)) expand(0, 0);
}

void SubtreeGrower::gather(const QuantisedGradients& gradients) {
  const std::size_t n_rows = subtree_->rows.size();
  const std::size_t stride = data_.layout.row_stride;
  bins_.resize(n_rows * stride);
  words_.resize(n_rows);
  scratch_.resize(n_rows);
  constexpr std::size_t kAhead = 16;
  for (std::size_t i = 0; i < n_rows; ++i) {
    const RowIndex ahead = subtree_->rows[std::min(i + kAhead, n_rows - 1)];
    __builtin_prefetch(data_.row(ahead));
    __builtin_prefetch(gradients.packed + ahead);
    const RowIndex row = subtree_->rows[i];
    std::copy_n(data_.row(row), stride, bins_.data() + i * stride);
    words_[i] = gradients.packed[row];
  }
  weights_.clear();
  if (rows_.weight.empty()) return;
  for (const RowIndex row : subtree_->rows) {
    weights_.push_back(static_cast<std::int64_t>(rows_.weight[row] * weight_scale_ + 0.5));
  }
}

SubtreeGrower::Words& SubtreeGrower::histogram_at(std::size_t level) {
  while (histograms_.size() <= level) {
    histograms_.emplace_back(layout_.n_columns() * kPackedStride);
  }
  return histograms_[level];
}

void SubtreeGrower::build(const SubtreeNode& node, Words& words) const {
  std::fill(words.begin(), words.end(), 0);
  const std::size_t n_columns = layout_.n_columns();
  const std::size_t stride = data_.layout.row_stride;
  const std::size_t tile = n_columns <= kMaxTile ? kMaxTile : kTile;
  for (std::size_t first = 0; first < n_columns; first += tile) {
    add_packed_rows({bins_.data() + first, stride, std::min(tile, n_columns - first)},
                    words_.data(), subtree_->members(node), words.data() + first * kPackedStride);
  }
}

void SubtreeGrower::pack_histogram(const Histogram& histogram, Words& words) const {
  std::fill(words.begin(), words.end(), 0);
  for (std::size_t column = 0; column < layout_.n_columns(); ++column) {
    std::transform(histogram.begin() + layout_.offset(column),
                   histogram.begin() + layout_.offset(column + 1),
                   words.begin() + static_cast<std::ptrdiff_t>(column * kPackedStride),
                   [](const Sums& sums) { return pack(sums.g, sums.h); });
  }
}

// The larger child takes over its parent's histogram and is gone on with; only the smaller one
// needs another level, so there are few.
void SubtreeGrower::expand(std::size_t place, std::size_t level) {
  for (;;) {
    pool_.poll();
    const std::size_t left = make_children(place);
    const auto& nodes = subtree_->nodes;
    const bool is_left_small = nodes[left].n_rows <= nodes[left + 1].n_rows;
    const std::size_t small = is_left_small ? left : left + 1;
    const std::size_t large = is_left_small ? left + 1 : left;
    if (!is_searchable(nodes[large])) return;
    histogram_at(level + 1);
    build(nodes[small], histograms_[level + 1]);
    search_pair(small, histograms_[level + 1], large, histograms_[level]);
    const bool goes_on = find_split(large, histograms_[level], large_candidates_);
    if (is_searchable(nodes[small]) && find_split(small, histograms_[level + 1], candidates_)) {
      expand(small, level + 1);
    }
    if (!goes_on) return;
    place = large;
  }
}

bool SubtreeGrower::is_searchable(const SubtreeNode& node) const {
  if (settings_.max_depth && node.depth >= *settings_.max_depth) return false;
  return node.n_rows >= 2 && node.n_rows / 2 >= rules_of_tree_->min_samples_leaf;
}

const std::uint64_t* SubtreeGrower::words_of(const SubtreeNode& node, const Words& words,
                                             std::size_t feature,
                                             BundledSlots<std::uint64_t>& room) const {
  const data::RowPlace& place = columns_.places[feature];
  return feature_slots(place, words.data() + place.column * kPackedStride,
                       pack(node.total.g, node.total.h), room);
}

Candidate SubtreeGrower::candidate_of(const SubtreeNode& node, const Words& words,
                                      std::size_t feature) const {
  BundledSlots<std::uint64_t> room;
  return best_split(data_.binning->features[feature], words_of(node, words, feature, room),
                    {node.total, node.n_rows}, *rules_of_tree_);
}

void SubtreeGrower::search(std::size_t place, const Words& words,
                           std::vector<Candidate>& candidates) const {
  const SubtreeNode& node = subtree_->nodes[place];
  for (std::size_t f = 0; f < candidates.size(); ++f) {
    candidates[f] = candidate_of(node, words, f);
  }
}

// A column's sums are searched while they are in the nearest cache.
void SubtreeGrower::search_pair(std::size_t small, const Words& words, std::size_t large,
                                Words& large_words) {
  const SubtreeNode& small_node = subtree_->nodes[small];
  const SubtreeNode& large_node = subtree_->nodes[large];
  const bool is_small_searched = is_searchable(small_node);
  for (std::size_t column = 0; column < layout_.n_columns(); ++column) {
    const std::uint64_t* const from = words.data() + column * kPackedStride;
    std::uint64_t* const to = large_words.data() + column * kPackedStride;
    for (std::size_t slot = 0; slot < kPackedStride; ++slot) to[slot] -= from[slot];
    for (const std::uint32_t f : columns_.features[column]) {
      large_candidates_[f] = candidate_of(large_node, large_words, f);
      if (is_small_searched) candidates_[f] = candidate_of(small_node, words, f);
    }
  }
}

// The search leaves out min_samples_leaf where h does not count rows: a winner that breaks it has
// its feature searched again with the rows of each bin.
bool SubtreeGrower::find_split(std::size_t place, const Words& words,
                               std::vector<Candidate>& candidates) {
  SubtreeNode& node = subtree_->nodes[place];
  const NodeSums sums = {node.total, node.n_rows};
  for (;;) {
    // Equal gains: the feature that comes first.
    const auto best =
        std::max_element(candidates.begin(), candidates.end(),
                         [](const Candidate& a, const Candidate& b) { return a.gain < b.gain; });
    if (!(best->gain > 0)) return false;
    const auto feature = static_cast<std::size_t>(best - candidates.begin());
    const data::FeatureBins& bins = data_.binning->features[feature];
    BundledSlots<std::uint64_t> room;
    const FeatureSums slots = unpack_feature(bins, words_of(node, words, feature, room));
    node.split = make_split(bins, static_cast<std::int32_t>(feature), slots.data(), sums,
                            *rules_of_tree_, *best);
    const std::uint32_t n_left = partition(node, node.split);
    if (n_left >= rules_of_tree_->min_samples_leaf &&
        node.n_rows - n_left >= rules_of_tree_->min_samples_leaf) {
      node.n_left = n_left;
      return true;
    }
    std::array<std::uint32_t, 256> counts{};
    count_bins(node, feature, counts);
    *best = best_split(bins, slots.data(), sums, *rules_of_tree_, counts.data());
  }
}

// Both sides are written for every row and one cursor advances: no branch to mispredict.
std::uint32_t SubtreeGrower::partition(const SubtreeNode& node, const Split& split) {
  std::uint32_t* const list = subtree_->list.data() + node.places.begin;
  const data::RowPlace& place = columns_.places[static_cast<std::size_t>(split.feature)];
  const BinSet left = column_bytes(place, split.left);
  const Bin* const column = bins_.data() + place.column;
  const std::size_t stride = data_.layout.row_stride;
  std::uint32_t n_left = 0, n_right = 0;
  for (std::uint32_t i = 0; i < node.n_rows; ++i) {
    const std::uint32_t row = list[i];
    const std::uint32_t is_left = contains(left, column[row * stride]) ? 1 : 0;
    list[n_left] = row;
    scratch_[n_right] = row;
    n_left += is_left;
    n_right += 1 - is_left;
  }
  std::copy_n(scratch_.data(), n_right, list + n_left);
  return n_left;
}

void SubtreeGrower::count_bins(const SubtreeNode& node, std::size_t feature,
                               std::array<std::uint32_t, 256>& counts) const {
  const data::RowPlace& place = columns_.places[feature];
  const Bin* const column = bins_.data() + place.column;
  for (const std::uint32_t row : subtree_->members(node)) {
    ++counts[column[row * data_.layout.row_stride]];
  }
  if (!place.is_bundled()) return;
  BundledSlots<std::uint32_t> room;
  const std::uint32_t* const of_bins = feature_slots(place, counts.data(), node.n_rows, room);
  counts = {};
  std::copy_n(of_bins, room.size(), counts.begin());
}

std::size_t SubtreeGrower::make_children(std::size_t place) {
  auto& nodes = subtree_->nodes;
  const std::size_t at = nodes.size();
  nodes.resize(at + 2);
  SubtreeNode& node = nodes[place];
  SubtreeNode& left = nodes[at];
  SubtreeNode& right = nodes[at + 1];
  node.left = static_cast<std::int32_t>(at);
  left.depth = right.depth = node.depth + 1;
  left.n_rows = node.n_left;
  right.n_rows = node.n_rows - left.n_rows;
  const std::uint32_t border = node.places.begin + left.n_rows;
  left.places = {node.places.begin, border};
  right.places = {border, node.places.end};
  left.total = node.split.left_sums;
  right.total = node.total;
  right.total -= node.split.left_sums;
  bool is_left_heavier = left.n_rows >= right.n_rows;
  if (!weights_.empty()) {
    const bool is_left_small = left.n_rows <= right.n_rows;
    SubtreeNode& small = is_left_small ? left : right;
    small.weight = weight_of(small);
    (is_left_small ? right : left).weight = node.weight - small.weight;
    is_left_heavier = left.weight >= right.weight;
  }
  if (!node.split.has_missing) node.split.is_missing_left = is_left_heavier;
  return at;
}

std::int64_t SubtreeGrower::weight_of(const SubtreeNode& node) const {
  std::int64_t sum = 0;
  for (const std::uint32_t row : subtree_->members(node)) sum += weights_[row];
  return sum;
}

}  // namespace orchard::learn::boosting
