#include "row_coder.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>

namespace orchard::model {
namespace {

constexpr std::size_t kMaxLevels = 224;  // whole words below the code of missing
constexpr std::size_t kMaxFeatures = 65000;
constexpr std::size_t kNodesAChunk = 16384;  // worth waking a thread for
// Features of all threads together whose thresholds each thread may collect: 64 MiB.
constexpr std::size_t kMostFeatures = 16384;

bool is_categorical(const Tree& tree, std::size_t node) {
  return (tree.flags[node] & Tree::kCategorical) != 0;
}

/// Bit c is set where code c goes right: codes past the node's levels, and so the one of missing,
/// go where missing goes.
std::array<std::uint64_t, 4> right_codes(const Tree& tree, std::size_t node) {
  const auto begin = static_cast<std::size_t>(tree.category_begin[node]);
  const auto n_levels = static_cast<std::size_t>(tree.category_n_words[node]) * 32;
  const bool is_missing_left = (tree.flags[node] & Tree::kMissingLeft) != 0;
  std::array<std::uint64_t, 4> right{};
  for (std::size_t code = 0; code < 256; ++code) {
    const bool is_left = code < n_levels
                             ? (tree.category_words[begin + code / 32] >> (code % 32) & 1) != 0
                             : is_missing_left;
    if (!is_left) right[code / 64] |= std::uint64_t{1} << (code % 64);
  }
  return right;
}

}  // namespace

std::size_t ThresholdSet::place_of(float threshold) const {
  const auto bits = std::bit_cast<std::uint32_t>(threshold + 0.0F);  // one zero
  std::size_t place = (bits * 0x9e3779b1u) >> 22;
  while (values_[place] != threshold && !std::isnan(values_[place])) {
    place = (place + 1) % kPlaces;
  }
  return place;
}

bool ThresholdSet::insert(float threshold) {
  if (values_.empty()) values_.assign(kPlaces, std::numeric_limits<float>::quiet_NaN());
  const std::size_t place = place_of(threshold);
  if (values_[place] == threshold) return true;
  if (n_ == ThresholdGrid::kMaxThresholds) return false;
  values_[place] = threshold;
  ++n_;
  return true;
}

bool ThresholdSet::insert(const ThresholdSet& other) {
  return std::all_of(other.values_.begin(), other.values_.end(),
                     [&](float value) { return std::isnan(value) || insert(value); });
}

std::vector<float> ThresholdSet::number() {
  std::vector<float> ascending;
  std::copy_if(values_.begin(), values_.end(), std::back_inserter(ascending),
               [](float value) { return !std::isnan(value); });
  std::sort(ascending.begin(), ascending.end());
  numbers_.resize(kPlaces);
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    numbers_[place_of(ascending[i])] = static_cast<Bin>(i);
  }
  return ascending;
}

bool RowCoder::Asked::add(const Asked& other) {
  n_levels = std::max(n_levels, other.n_levels);
  is_used = is_used || other.is_used;
  return set.insert(other.set);
}

std::optional<RowCoder> RowCoder::make(const Ensemble& ensemble, parallel::Pool& pool) {
  const std::size_t n_features = ensemble.schema.n_features();
  if (n_features > kMaxFeatures) return std::nullopt;
  std::vector<std::vector<Asked>> of_thread(static_cast<std::size_t>(pool.n_threads()));
  std::size_t n_nodes = 1;
  for (const auto& tree : ensemble.trees) n_nodes += tree.n_nodes();
  const bool is_shared = n_features * of_thread.size() <= kMostFeatures;
  const std::size_t n_trees = std::max<std::size_t>(
      1, is_shared ? ensemble.trees.size() * kNodesAChunk / n_nodes : ensemble.trees.size());
  std::atomic<bool> is_too_much = false;
  pool.for_chunks(ensemble.trees.size(), n_trees,
                  [&](std::size_t begin, std::size_t end, int thread) {
                    auto& features = of_thread[static_cast<std::size_t>(thread)];
                    features.resize(n_features);
                    for (std::size_t i = begin; i < end && !is_too_much; ++i) {
                      if (!collect(ensemble.trees[i], features)) is_too_much = true;
                    }
                  });
  if (is_too_much) return std::nullopt;
  RowCoder coder;
  coder.features_.resize(n_features);
  for (const auto& features : of_thread) {
    for (std::size_t f = 0; f < features.size(); ++f) {
      if (!coder.features_[f].add(features[f])) return std::nullopt;
    }
  }
  coder.number_columns();
  return coder;
}

bool RowCoder::collect(const Tree& tree, std::vector<Asked>& features) {
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    if (tree.left[node] < 0) continue;
    Asked& feature = features[static_cast<std::size_t>(tree.feature[node])];
    if (is_categorical(tree, node)) {
      const auto n_levels = static_cast<std::size_t>(tree.category_n_words[node]) * 32;
      if (n_levels > kMaxLevels) return false;
      feature.n_levels = std::max(feature.n_levels, n_levels);
    } else if (!feature.set.insert(tree.threshold[node])) {
      return false;
    }
    feature.is_used = true;
  }
  return true;
}

void RowCoder::number_columns() {
  for (auto& feature : features_) {
    if (!feature.set.empty()) feature.grid.emplace(feature.set.number());
    if (feature.is_used) feature.column = n_columns_++;
  }
}

CodeSplit RowCoder::split_of(const Tree& tree, std::size_t node) const {
  const Feature& feature = features_[static_cast<std::size_t>(tree.feature[node])];
  CodeSplit split;
  split.column = feature.column;
  split.is_missing_left = (tree.flags[node] & Tree::kMissingLeft) != 0;
  split.is_set = is_categorical(tree, node);
  if (split.is_set) {
    split.right = right_codes(tree, node);
  } else {
    split.limit = feature.set.number_of(tree.threshold[node]);
  }
  return split;
}

void RowCoder::encode(const FeatureColumns& data, RowIndex begin, std::size_t n_rows,
                      Bin* codes) const {
  for (std::size_t f = 0; f < features_.size(); ++f) {
    const Feature& feature = features_[f];
    if (!feature.is_used) continue;
    const float* values = data.columns[f] + begin;
    Bin* out = codes + feature.column * kBlock;
    if (feature.grid) {
      feature.grid->codes_of({values, n_rows}, kMissing, out);
      continue;
    }
    const auto n_levels = static_cast<float>(feature.n_levels);
    for (std::size_t row = 0; row < n_rows; ++row) {
      const bool is_level = values[row] >= 0 && values[row] < n_levels;
      out[row] = is_level ? static_cast<Bin>(values[row]) : kMissing;
    }
  }
}

}  // namespace orchard::model
