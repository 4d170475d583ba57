#pragma once
// Seeds of tests whose outcome may depend on one. ORCHARD_TESTS_GLOBAL_RANDOM_SEED is a number, a
// range such as "40-42", "all" (0 to 99) or "any" (a number drawn for this run); 42 without it.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace orchard::testing_support {

inline std::vector<std::uint64_t> seed_range(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  return seeds;
}

/// Print the seed (SCOPED_TRACE) where it is used, so that a failure can be repeated.
inline std::vector<std::uint64_t> global_seeds() {
  const char* setting = std::getenv("ORCHARD_TESTS_GLOBAL_RANDOM_SEED");
  const std::string text = setting == nullptr ? "42" : setting;
  if (text == "all") return seed_range(0, 99);
  if (text == "any") return {std::random_device()() % 100};
  const auto dash = text.find('-');
  const auto first = std::stoull(text);
  return seed_range(first, dash == std::string::npos ? first : std::stoull(text.substr(dash + 1)));
}

}  // namespace orchard::testing_support
