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
  explicit FeatureOrder(std::size_t n_features) : features_(n_features) {
    std::iota(features_.begin(), features_.end(), FeatureIndex{0});
  }

  void start(const random::Stream& stream) {
    while (n_drawn_ > 0) {
      --n_drawn_;
      std::swap(features_[n_drawn_], features_[swapped_[n_drawn_]]);
    }
    stream_ = stream;
  }

  /// The next feature; at most n_features calls a node.
  FeatureIndex next() {
    const std::size_t n_left = features_.size() - n_drawn_;
    if (n_drawn_ % 4 == 0 && n_left > 1) block_ = stream_.block(n_drawn_ / 4);
    const auto product = static_cast<unsigned __int128>(block_[n_drawn_ % 4]) * n_left;
    const std::size_t other = n_drawn_ + static_cast<std::size_t>(product >> 64);
    if (swapped_.size() <= n_drawn_) swapped_.resize(n_drawn_ + 1);
    swapped_[n_drawn_] = other;
    std::swap(features_[n_drawn_], features_[other]);
    return features_[n_drawn_++];
  }

 private:
  std::vector<FeatureIndex> features_;  ///< the identity, apart from the swaps drawn
  std::vector<std::size_t> swapped_;
  std::size_t n_drawn_ = 0;
  std::array<std::uint64_t, 4> block_{};
  random::Stream stream_{0, random::Purpose::kFeatures, 0};
};

}  // namespace orchard::learn
