#pragma once
// The order in which a node tries features, drawn as far as it is asked for.

#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "orchard/base/types.hpp"
#include "orchard/random/stream.hpp"

namespace orchard::learn {

/// The beginning of the permutation that Stream::shuffle gives at the node's address.
class FeatureOrder {
 public:
  explicit FeatureOrder(std::size_t n_features) : features_(n_features), swapped_(n_features) {
    std::iota(features_.begin(), features_.end(), FeatureIndex{0});
  }

  void start(const random::Stream& stream) {
    for (std::size_t i = 0; i < n_drawn_; ++i) {
      features_[i] = static_cast<FeatureIndex>(i);
      features_[swapped_[i]] = swapped_[i];
    }
    n_drawn_ = 0;
    stream_ = stream;
  }

  /// The next feature; at most n_features calls a node.
  FeatureIndex next() {
    FeatureIndex feature = 0;
    draw(1, &feature);
    return feature;
  }

  /// The next `n` features.
  void draw(std::size_t n, FeatureIndex* out) {
    FeatureIndex* const features = features_.data();
    FeatureIndex* const swapped = swapped_.data();
    const std::size_t n_features = features_.size();
    const std::size_t end = n_drawn_ + n;
    for (std::size_t i = n_drawn_; i < end; ++i) {
      const std::size_t n_left = n_features - i;
      if (i % 4 == 0 && n_left > 1) block_ = stream_.block(i / 4);
      const auto product = static_cast<unsigned __int128>(block_[i % 4]) * n_left;
      const auto other = static_cast<FeatureIndex>(i + static_cast<std::size_t>(product >> 64));
      const FeatureIndex feature = features[other];
      features[other] = features[i];
      swapped[i] = other;
      *out++ = feature;
    }
    n_drawn_ = end;
  }

 private:
  /// The identity, apart from what was drawn: places before n_drawn_ are not kept.
  std::vector<FeatureIndex> features_;
  std::vector<FeatureIndex> swapped_;  ///< with which place each of them was swapped
  std::size_t n_drawn_ = 0;
  std::array<std::uint64_t, 4> block_{};
  random::Stream stream_{0, random::Purpose::kFeatures, 0};
};

}  // namespace orchard::learn
