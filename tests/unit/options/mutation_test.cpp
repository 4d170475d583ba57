// Damaged job files and command lines are refused in words or read, and nothing else happens.

#include <gtest/gtest.h>

#include <random>

#include "../../support/global_seed.hpp"
#include "jobs.hpp"
#include "orchard/base/text.hpp"

namespace orchard::options::testing {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t n) { return random() % n; }

/// Changes, inserts, removes or doubles a few bytes.
std::string damage(std::string text, Random& random) {
  using namespace std::string_literals;
  const std::string alphabet = "#;=[]()\"',.\n\r\t -+0123456789aeinxN\0\x80\xff"s;
  for (auto n = 1 + below(random, 4); n > 0 && !text.empty(); --n) {
    const auto at = below(random, text.size());
    const char c = alphabet[below(random, alphabet.size())];
    switch (below(random, 4)) {
      case 0:
        text[at] = c;
        break;
      case 1:
        text.insert(at, 1, c);
        break;
      case 2:
        text.erase(at, 1 + below(random, 12));
        break;
      default:
        text.insert(at, text.substr(below(random, text.size()), below(random, 30)));
    }
  }
  return text;
}

const std::string kJob = kData +
                         "drop = \"x, y\", z\n[job]\nname = x\n[cv]\ncv = KFold\nn_splits = 3\n"
                         "[search]\nscoring = accuracy, roc_auc\nrefit = roc_auc\n"
                         "[estimator]\nclass_weight = balanced\n" +
                         kForest +
                         "max_depth = 3, range(5, 9, 2), none\nmax_features = sqrt, 0.5, lin(0.1, "
                         "0.9, 3)\n[grid.b]\nlike = a\nn_estimators = log2(1, 64, 4)\n";

TEST(Mutations, DamagedJobFiles) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    Random random(seed);
    int n_accepted = 0;
    for (int i = 0; i < 200; ++i) {
      const auto text = damage(kJob, random);
      try {
        const auto job = parse(text);
        EXPECT_FALSE(job.grids.empty());
        ++n_accepted;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what() << "\n" << text;
        for (const auto& line : split(error.what(), '\n')) {
          EXPECT_TRUE(line.starts_with("a.cfg") || line.starts_with("...")) << line;
        }
      }
    }
    EXPECT_GT(n_accepted, 0);
  }
}

TEST(Mutations, ResolvedValuesAreReadBackAsTheSameJob) {
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    Random random(seed);
    for (int i = 0; i < 60; ++i) {
      const auto text = damage(kJob, random);
      if (!complaint(text).empty()) continue;
      const auto job = parse(text);
      std::string section, again;
      for (const auto& each : job.resolved) {
        const auto dot = each.key.rfind('.');
        const bool is_unset = each.value == "none" && each.key.starts_with("data.input");
        if (is_unset) continue;
        if (each.key.substr(0, dot) != section) {
          section = each.key.substr(0, dot);
          again += "[" + section + "]\n";
        }
        again += each.key.substr(dot + 1) + " = " + each.value + "\n";
      }
      const auto copy = parse(again);
      ASSERT_EQ(copy.resolved.size(), job.resolved.size());
      for (std::size_t k = 0; k < job.resolved.size(); ++k) {
        EXPECT_EQ(value_of(copy, job.resolved[k].key), job.resolved[k].value) << again;
      }
    }
  }
}

TEST(Mutations, DamagedCommandLines) {
  const std::string line = "search a.cfg --cv.n_splits=3 --n-jobs -1 -v --grid.a.max_depth 3,4";
  for (const auto seed : testing_support::global_seeds()) {
    SCOPED_TRACE(seed);
    Random random(seed);
    for (int i = 0; i < 100; ++i) {
      const auto words = split(damage(line, random), ' ');
      try {
        parse_command_line(words);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace orchard::options::testing
