// Where the growers of several ranks meet: the sums of all rows, and the split they carry out.

#include <algorithm>
#include <bit>
#include <cmath>

#include "boosting/grower.hpp"
#include "boosting/grower_node.hpp"

namespace orchard::learn::boosting {

void TreeGrower::meet_peers() {
  std::array<std::int64_t, 2> counts = {static_cast<std::int64_t>(rows_.fit.size()),
                                        static_cast<std::int64_t>(rows_.weight.size())};
  peers_.sum(counts);
  n_root_rows_ = static_cast<std::uint32_t>(counts[0]);
  is_weighted_ = counts[1] > 0;
  if (is_weighted_) {
    double greatest = 0;
    for (const double weight : rows_.weight) greatest = std::max(greatest, weight);
    peers_.max(std::span(&greatest, 1));
    const int bits = 62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(counts[1])));
    weight_scale_ = std::ldexp(1.0, bits) / greatest;
    const Hands all(pool_);
    root_weight_ = peers_.sum(weight_of(partition_.reset(all), all));
  }
  // Ranges of columns with about as many slots.
  const auto n_peers = static_cast<std::size_t>(peers_.size());
  for (std::size_t peer = 0; peer <= n_peers; ++peer) {
    const std::size_t slot = layout_.n_slots() * peer / n_peers;
    const auto* const offsets = layout_.offsets();
    column_borders_.push_back(static_cast<std::size_t>(
        std::lower_bound(offsets, offsets + layout_.n_columns(), slot) - offsets));
  }
  column_borders_.back() = layout_.n_columns();
}

// The sums of few rows fit packed words, which are half as long.
void TreeGrower::sum_over_peers(const Node& node) {
  if (peers_.is_alone()) return;
  const bool is_packed = !gradients_.is_wide() && node.n_rows <= kPackedRows;
  const std::size_t width = is_packed ? 1 : 2;
  Histogram& histogram = *node.histogram;
  words_.resize(layout_.n_slots() * width);
  for (std::size_t slot = 0; slot < layout_.n_slots(); ++slot) {
    const Sums& sums = histogram[slot];
    if (is_packed) {
      words_[slot] = static_cast<std::int64_t>(pack(sums.g, sums.h));
    } else {
      words_[2 * slot] = sums.g;
      words_[2 * slot + 1] = sums.h;
    }
  }
  std::vector<std::size_t> borders;
  for (const std::size_t column : column_borders_) {
    borders.push_back(layout_.offset(column) * width);
  }
  peers_.sum_parts(words_, borders);
  for (std::size_t slot = layout_.offset(first_column()); slot < layout_.offset(last_column());
       ++slot) {
    histogram[slot] = is_packed ? unpack(static_cast<std::uint64_t>(words_[slot]))
                                : Sums{words_[2 * slot], words_[2 * slot + 1]};
  }
}

std::size_t TreeGrower::first_column() const {
  return column_borders_[static_cast<std::size_t>(peers_.rank())];
}

std::size_t TreeGrower::last_column() const {
  return column_borders_[static_cast<std::size_t>(peers_.rank()) + 1];
}

// Each peer says how the best of its own features divides the nodes. The numbers come from one
// peer, so nobody finds others.
void TreeGrower::pick_winners(Node* first, Node* second) {
  std::vector<Node*> nodes;
  for (Node* node : {first, second}) {
    if (node != nullptr && !node->candidates.empty()) nodes.push_back(node);
  }
  if (nodes.empty()) return;
  for (Node* node : nodes) node->split = best_of_own(*node);
  if (peers_.is_alone()) return;
  ByteWriter writer;
  for (const Node* node : nodes) writer.put(node->split);
  for (Node* node : nodes) node->split = {};
  for (const Bytes& bytes : peers_.all_gather(writer.bytes())) {
    ByteReader reader(bytes);
    for (Node* node : nodes) {
      const auto split = reader.get<Split>();
      const bool is_first = split.gain == node->split.gain && split.feature < node->split.feature;
      if (split.gain > node->split.gain || (split.gain > 0 && is_first)) node->split = split;
    }
  }
}

// Rows and, among peers, weight of the left side. Where h counts rows the search has told already.
std::pair<std::uint32_t, std::int64_t> TreeGrower::left_of_all(
    const Node& node, const std::vector<std::uint32_t>& borders, const Hands& hands) const {
  Segments own;
  for (std::size_t part = 0; part < borders.size(); ++part) {
    own.push_back({node.segments[part].begin, borders[part]});
  }
  std::array<std::int64_t, 2> sums = {n_rows(own), 0};
  if (gradients_.h_is_count) {
    sums[0] = node.split.left_sums.h;
  } else {
    if (is_weighted_ && !peers_.is_alone()) sums[1] = weight_of(own, hands);
    peers_.sum(sums);
  }
  return {static_cast<std::uint32_t>(sums[0]), sums[1]};
}

}  // namespace orchard::learn::boosting
