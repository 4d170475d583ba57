// The search for a numeric cut on wider instruction sets, against the plain one.

#include "boosting/split.hpp"

#include <gtest/gtest.h>

#include <random>

#include "orchard/base/instruction_set.hpp"

namespace orchard::learn {
namespace {

using boosting::Candidate;
using boosting::NodeSums;
using boosting::SplitRules;
using boosting::Sums;

/// A feature of a node at random: the sums and rows of each slot.
struct Slots {
  data::FeatureBins bins;
  std::vector<Sums> sums;
  std::vector<std::uint64_t> words;
  std::vector<std::uint32_t> counts;
  NodeSums node;
};

/// `greatest`: of |g| of a row; small ones make ties. One bin in `rarity` has rows.
Slots make_slots(std::mt19937_64& random, int n_bins, std::uint64_t rarity, bool has_missing,
                 std::int64_t greatest) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  Slots made;
  made.bins.n_bins = n_bins;
  for (int bin = 0; bin < n_bins; ++bin) {
    made.bins.bin_min.push_back(static_cast<float>(bin));
    made.bins.bin_max.push_back(static_cast<float>(bin));
    if (bin > 0) made.bins.cuts.push_back(static_cast<float>(bin) - 0.5F);
  }
  for (int slot = 0; slot <= n_bins; ++slot) {
    Sums sums;
    const bool is_empty = slot == n_bins ? !has_missing : below(rarity) != 0;
    const auto n_rows = is_empty ? 0U : static_cast<std::uint32_t>(1 + below(3));
    for (std::uint32_t row = 0; row < n_rows; ++row) {
      sums.g +=
          static_cast<std::int64_t>(below(static_cast<std::uint64_t>(2 * greatest + 1))) - greatest;
      sums.h += 1 + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(greatest)));
    }
    made.sums.push_back(sums);
    made.words.push_back(boosting::pack(sums.g, sums.h));
    made.counts.push_back(n_rows);
    made.node.total += sums;
    made.node.n_rows += n_rows;
  }
  return made;
}

void expect_equal(const Candidate& found, const Candidate& expected) {
  EXPECT_EQ(found.gain, expected.gain);
  if (!(expected.gain > 0)) return;
  EXPECT_EQ(found.boundary, expected.boundary);
  EXPECT_EQ(found.is_missing_left, expected.is_missing_left);
}

TEST(BoostingSplit, IsTheSameOnEveryInstructionSet) {
  std::mt19937_64 random(5);
  int n_found = 0;
  for (const int n_bins : {1, 2, 3, 7, 8, 9, 15, 16, 17, 64, 100, 254, 255}) {
    for (int round = 0; round < 200; ++round) {
      const std::int64_t greatest = round % 4 == 0 ? 1 : (round % 4 == 1 ? 3 : 100'000);
      const auto slots = make_slots(random, n_bins, 1 + random() % 6, random() % 2 == 0, greatest);
      if (slots.node.n_rows == 0) continue;
      SplitRules rules;
      rules.l2 = round % 3 == 0 ? 0 : 0.7 * static_cast<double>(greatest);
      rules.min_h = 0.4;
      rules.min_samples_leaf = 1 + static_cast<std::uint32_t>(random() % 20);
      const auto* const counts = round % 5 < 2 ? slots.counts.data() : nullptr;
      const auto search = [&](InstructionSet set) {
        const ScopedInstructionSet scoped(set);
        return boosting::best_split(slots.bins, slots.sums.data(), slots.node, rules, counts);
      };
      const auto search_packed = [&](InstructionSet set) {
        const ScopedInstructionSet scoped(set);
        return boosting::best_split(slots.bins, slots.words.data(), slots.node, rules);
      };
      const Candidate expected = search(InstructionSet::kBaseline);
      n_found += expected.gain > 0 ? 1 : 0;
      for (const auto set : {InstructionSet::kAvx2, InstructionSet::kAvx512}) {
        if (set > processor_instruction_set()) continue;
        expect_equal(search(set), expected);
        if (counts == nullptr) expect_equal(search_packed(set), expected);
      }
      if (counts == nullptr) expect_equal(search_packed(InstructionSet::kBaseline), expected);
    }
  }
  EXPECT_GT(n_found, 1000);
}

}  // namespace
}  // namespace orchard::learn
