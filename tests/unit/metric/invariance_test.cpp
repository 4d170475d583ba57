// A score is a function of the set of rows: the same bits in any order of them.

#include <gtest/gtest.h>

#include <bit>

#include "../../support/global_seed.hpp"
#include "rows.hpp"

namespace orchard::metric {
namespace {

void expect_order_free(const Rows& rows, std::mt19937_64& random) {
  for (int i = 0; i < 5; ++i) {
    const Rows other = shuffled(rows, random);
    for (const auto& scorer : scorer_names(rows.task)) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(rows.value(scorer)),
                std::bit_cast<std::uint64_t>(other.value(scorer)))
          << scorer;
    }
    EXPECT_EQ(std::bit_cast<std::uint64_t>(negative_loss(rows.truth(), rows.predictions).value),
              std::bit_cast<std::uint64_t>(negative_loss(other.truth(), other.predictions).value));
  }
}

TEST(InvarianceTest, ClassificationScoresDoNotDependOnOrder) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    for (const std::size_t n_classes : {2u, 5u}) {
      for (const bool has_weights : {false, true}) {
        expect_order_free(random_classification(random, 700, n_classes, 0, has_weights), random);
        expect_order_free(random_classification(random, 700, n_classes, 4, has_weights), random);
      }
    }
  }
}

TEST(InvarianceTest, RegressionScoresDoNotDependOnOrder) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    for (const bool has_weights : {false, true}) {
      Rows rows = regression({}, {});
      for (int i = 0; i < 700; ++i) {
        const double scale = random() % 10 == 0 ? 1e9 : 1;
        rows.target.push_back(scale * random_real(random));
        rows.predictions.push_back(rows.target.back() + random_real(random) - 0.5);
        if (has_weights) rows.weight.push_back(random_real(random));
      }
      expect_order_free(rows, random);
    }
  }
}

}  // namespace
}  // namespace orchard::metric
