#pragma once
// What the cases of the communicator's conformance are written with.

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "communicator_conformance.hpp"
#include "orchard/base/clock.hpp"

/// A case by its function.
#define ORCHARD_CASE(function) \
  { #function, function }

namespace orchard::testing {

/// `cases` and those of communicators and memory for a part of the ranks.
std::vector<ConformanceCase> with_cases_of_parts(std::vector<ConformanceCase> cases);

/// Bytes that tell who made them and which they are.
inline Bytes pattern(std::size_t n_bytes, int seed) {
  Bytes bytes(n_bytes);
  auto state = static_cast<std::uint64_t>(seed) * 0x9E3779B97F4A7C15U + 1;
  for (std::size_t at = 0; at < n_bytes; at += sizeof state) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    std::memcpy(bytes.data() + at, &state, std::min(sizeof state, n_bytes - at));
  }
  return bytes;
}

inline comm::Message receive(comm::Communicator& world) {
  const double give_up_s = monotonic_s() + 20;
  while (monotonic_s() < give_up_s) {
    if (auto message = world.try_receive()) return std::move(*message);
    sleep_s(20e-6);
  }
  throw std::runtime_error("no message came");
}

}  // namespace orchard::testing
