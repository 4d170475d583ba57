#include "orchard/random/stream.hpp"

#include <Random123/philox.h>

#include <utility>

namespace orchard::random {
namespace {

using Philox = r123::Philox4x64;

std::array<std::uint64_t, 4> philox(const std::array<std::uint64_t, 4>& counter,
                                    const std::array<std::uint64_t, 2>& key) {
  const Philox::ctr_type in = {{counter[0], counter[1], counter[2], counter[3]}};
  const Philox::key_type with = {{key[0], key[1]}};
  const auto out = Philox()(in, with);
  return {out[0], out[1], out[2], out[3]};
}

}  // namespace

NodeKey NodeKey::child(std::uint32_t side) const {
  const auto bits = philox({high, low, side, 0}, {0x6f72636861726400, 0x6e6f64656b657900});
  return {bits[0], bits[1]};
}

Stream::Stream(std::uint64_t random_state, Purpose purpose, std::uint64_t unit, NodeKey node)
    : key_{random_state, (static_cast<std::uint64_t>(purpose) << 48) ^ unit}, node_(node) {}

std::array<std::uint64_t, 4> Stream::block(std::uint64_t index) const {
  return philox({node_.high, node_.low, index, 0}, key_);
}

void Stream::shuffle(std::span<std::uint32_t> values) const {
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    std::swap(values[i], values[i + below(values.size() - i, i)]);
  }
}

}  // namespace orchard::random
