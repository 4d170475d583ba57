#include "sort_floats.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "orchard/random/stream.hpp"
#include "scratch_file.hpp"

namespace orchard::data {
namespace {

TEST(SortFloats, AgreesWithStdSort) {
  const random::Stream stream(testing::test_seed(), random::Purpose::kBootstrap, 0);
  for (const std::size_t n : {0, 1, 100, 4095, 4096, 50000}) {
    std::vector<float> values, scratch;
    for (std::size_t i = 0; i < n; ++i) {
      const double sign = stream.below(2, 3 * i) == 0 ? -1.0 : 1.0;
      const int power = static_cast<int>(stream.below(250, 3 * i + 1)) - 125;
      values.push_back(static_cast<float>(sign * std::ldexp(stream.real(3 * i + 2), power)));
    }
    auto expected = values;
    std::sort(expected.begin(), expected.end());
    sort_floats(values, scratch);
    EXPECT_EQ(values, expected) << n;
  }
}

}  // namespace
}  // namespace orchard::data
