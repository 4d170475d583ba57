// Fits that several ranks grow together, each on its share of the rows, against the fit alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "boosting/engine.hpp"
#include "boosting/table.hpp"
#include "global_seed.hpp"
#include "thread_row_group.hpp"

namespace orchard::learn {
namespace {

using boosting::Precision;
using options::BoostingSettings;
using testing_support::run_row_group;
using testing_support::ThreadRowGroup;
using testing_support::Traffic;

struct Readout {
  std::size_t member = 0;
  int n_rounds = 0;
  std::vector<std::int64_t> sums;
  bool operator==(const Readout&) const = default;
};

struct Fitted {
  std::vector<model::Unit> units;
  std::vector<double> scores;
  std::vector<Readout> readouts;
  std::vector<std::int64_t> baseline;
  bool operator==(const Fitted&) const = default;
};

/// Positions of rank `rank` when `n` rows are shared out evenly, or with more for higher ranks.
data::RowShare share_of_rank(RowIndex n, int rank, int size, bool is_uneven) {
  const auto border = [&](int at) {
    const auto part = static_cast<std::uint64_t>(at), all = static_cast<std::uint64_t>(size);
    const std::uint64_t even = n * part / all;
    return static_cast<RowIndex>(is_uneven ? even * part / all : even);
  };
  return {border(rank), border(rank + 1), n};
}

class Fits {
 public:
  Fits(const BoostingTable& table, const BoostingSettings& settings,
       std::vector<BoostingMember> members, Precision precision)
      : table_(table), settings_(settings), members_(std::move(members)), precision_(precision) {}

  Fitted alone(std::size_t n_restored = 0, const std::vector<model::Unit>& units = {}) const {
    parallel::Pool pool(1);
    return run(table_.context(pool), n_restored, units);
  }

  /// The fit of every rank, and the traffic of rank 0.
  std::vector<Fitted> together(int size, bool is_uneven, int n_threads = 1,
                               std::size_t n_restored = 0,
                               const std::vector<model::Unit>& units = {}, std::size_t stop_at = 0,
                               Traffic* traffic = nullptr) const {
    std::vector<Fitted> fitted(static_cast<std::size_t>(size));
    run_row_group(size, [&](ThreadRowGroup& group) {
      const data::BinnedData& whole = table_.data();
      const auto rank = group.rank();
      const data::BinnedData own =
          data::share_of(whole, share_of_rank(whole.n_train(), rank, size, is_uneven),
                         share_of_rank(whole.n_test(), rank, size, !is_uneven));
      parallel::Pool pool(n_threads);
      const FitContext context{own, table_.table.schema, 7, pool, &group};
      group.stop_at(stop_at);
      fitted[static_cast<std::size_t>(rank)] = run(context, n_restored, units);
      if (rank == 0 && traffic != nullptr) *traffic = group.traffic();
    });
    return fitted;
  }

 private:
  Fitted run(const FitContext& context, std::size_t n_restored,
             const std::vector<model::Unit>& units) const {
    Fitted fitted;
    boosting::Engine engine(
        context, settings_, members_,
        [&](std::size_t member, int n_rounds, std::span<const std::int64_t> sums) {
          fitted.readouts.push_back({member, n_rounds, {sums.begin(), sums.end()}});
        },
        precision_);
    if (n_restored > 0) {
      engine.restore({units.begin(), units.begin() + static_cast<std::ptrdiff_t>(n_restored)});
    }
    while (!engine.is_done()) {
      try {
        engine.advance();
      } catch (const Stopped&) {
        // Goes on with the finished units.
      }
    }
    fitted.units = engine.units();
    fitted.scores.assign(engine.scores().begin(), engine.scores().end());
    fitted.baseline = engine.frame().baseline;
    return fitted;
  }

  const BoostingTable& table_;
  BoostingSettings settings_;
  std::vector<BoostingMember> members_;
  Precision precision_;
};

struct Case {
  const char* name;
  BoostingSpec table;
  std::optional<std::int64_t> max_leaf_nodes = 31;
  std::int64_t n_leaf_rows = 5;
  std::optional<std::int64_t> max_depth = {};
  bool stops_early = false;
  options::ClassWeight class_weight = options::ClassWeight::kNone;
  Precision precision = Precision::kAuto;
};
void PrintTo(const Case& entry, std::ostream* out) { *out << entry.name; }

/// {n_train, n_test, n_numeric, n_categorical, n_classes, n_values, n_levels, missing, weights}
const Case kCases[] = {
    {"fewer_rows_than_ranks", {3, 1, 2, 0, 2, 30, 0, false, false}, 31, 1},
    {"wide_fewer_rows_than_ranks",
     {3, 1, 2, 0, 0, 30, 0, false, false},
     31,
     1,
     {},
     false,
     options::ClassWeight::kNone,
     Precision::kWide},
    {"few_weighted_rows", {4, 0, 2, 1, 0, 30, 3, false, true}, 31, 1},
    {"few_weighted_rows_of_classes", {3, 1, 2, 0, 2, 30, 0, false, true}, 31, 1},
    {"few_columns", {400, 50, 1, 0, 2, 90, 0, false, false}},
    {"binary", {900, 70, 6, 0, 2, 200, 0, false, false}},
    {"missing_categories_weights", {900, 70, 4, 3, 2, 60, 30, true, true}},
    {"narrow_leaves", {900, 70, 4, 2, 2, 60, 30, true, false}, 31, 60},
    {"classes", {700, 70, 4, 2, 4, 60, 9, true, false}},
    {"regression", {900, 70, 4, 2, 0, 300, 9, true, false}},
    {"weighted_regression", {900, 70, 4, 2, 0, 300, 9, true, true}},
    {"bundles", {900, 70, 9, 0, 2, 2, 0, false, false}},
    {"many_rows", {9000, 300, 5, 1, 2, 250, 9, true, true}},
    {"two_bins_many_rows", {20'000, 70, 2, 0, 2, 2, 0, false, true}},
    {"early", {800, 70, 4, 2, 2, 60, 9, true, false}, 15, 5, {}, true},
    {"early_classes", {800, 70, 4, 0, 3, 60, 0, true, true}, 15, 5, {}, true},
    {"balanced",
     {800, 70, 4, 2, 3, 60, 9, true, false},
     15,
     5,
     {},
     false,
     options::ClassWeight::kBalanced},
    {"wide",
     {900, 70, 4, 2, 2, 60, 9, true, true},
     31,
     5,
     {},
     false,
     options::ClassWeight::kNone,
     Precision::kWide},
    {"no_leaf_limit", {9000, 70, 4, 1, 2, 250, 9, true, false}, {}, 20},
    {"depth", {7000, 70, 4, 1, 2, 250, 9, true, true}, {}, 9, 7},
    {"depth_regression", {6000, 70, 4, 1, 0, 250, 9, true, false}, {}, 9, 6},
    {"wide_depth",
     {900, 70, 4, 1, 2, 60, 9, true, false},
     {},
     9,
     5,
     false,
     options::ClassWeight::kNone,
     Precision::kWide},
};

class BoostingGroup : public ::testing::TestWithParam<Case> {
 protected:
  static BoostingSettings settings() {
    const Case& with = GetParam();
    BoostingSettings settings;
    settings.max_leaf_nodes = with.max_leaf_nodes;
    settings.min_samples_leaf = with.n_leaf_rows;
    settings.max_depth = with.max_depth;
    settings.class_weight = with.class_weight;
    settings.early_stopping =
        with.stops_early ? options::EarlyStopping::kOn : options::EarlyStopping::kOff;
    return settings;
  }

  BoostingTable table_{GetParam().table, testing_support::global_seeds()[0]};
  Fits fits_{table_, settings(), {{4, 1, 0}, {3, 2, 0}}, GetParam().precision};
};

TEST_P(BoostingGroup, GivesTheBitsOfOneRank) {
  const Fitted alone = fits_.alone();
  for (const int size : {1, 2, 3, 4}) {
    for (const bool is_uneven : {false, true}) {
      for (const Fitted& fitted : fits_.together(size, is_uneven, 1 + size % 2)) {
        EXPECT_EQ(fitted, alone) << size << ' ' << is_uneven;
      }
    }
  }
}

TEST_P(BoostingGroup, GoesOnFromUnitsOfAnotherGroup) {
  const Fitted alone = fits_.alone();
  const auto restored = fits_.together(3, true, 1, 1, alone.units);
  for (const Fitted& fitted : restored) EXPECT_EQ(fitted, alone);
  EXPECT_EQ(fits_.alone(1, restored[0].units), alone);
}

INSTANTIATE_TEST_SUITE_P(All, BoostingGroup, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

const BoostingSpec kPlain = {800, 70, 4, 2, 3, 60, 9, true, true};

TEST(BoostingGroupStop, DropsTheRoundUnderWay) {
  const BoostingTable table(kPlain, testing_support::global_seeds()[0]);
  BoostingSettings settings;
  settings.early_stopping = options::EarlyStopping::kOn;
  const Fits fits(table, settings, {{3, 9, 0}, {2, 9, 0}}, Precision::kAuto);
  const Fitted alone = fits.alone();
  Traffic traffic;
  fits.together(2, false, 1, 0, {}, 0, &traffic);
  // The constructor makes some ten calls, which a stop would end.
  for (std::size_t call = 12; call < traffic.n_calls; call += 29) {
    for (const Fitted& fitted : fits.together(2, false, 1, 0, {}, call)) {
      EXPECT_EQ(fitted, alone) << call;
    }
  }
  for (std::size_t from_end = 0; from_end < 5; ++from_end) {
    const auto call = traffic.n_calls - from_end;
    EXPECT_EQ(fits.together(2, false, 1, 0, {}, call)[1], alone) << call;
  }
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// A fit of 20 rows in shares of 6, 7 and 7, of which some have no finite gradient.
void expect_message_on_row(const std::vector<std::size_t>& odd_rows, const char* text) {
  BoostingTable table({20, 0, 2, 0, 0, 9, 0, false, false}, 1);
  table.weight.assign(20, 1);
  for (const std::size_t row : odd_rows) {
    table.weight[row] = 5;
    table.target[row] = row % 2 == 0 ? 1e301 : -1e301;
  }
  table.bin();
  BoostingSettings settings;
  settings.early_stopping = options::EarlyStopping::kOff;
  const Fits fits(table, settings, {{2, 9, 0}}, Precision::kAuto);
  const std::string alone = message_of([&] { fits.alone(); });
  EXPECT_THAT(alone, ::testing::HasSubstr(text));
  EXPECT_EQ(message_of([&] { fits.together(3, false); }), alone);
}

TEST(BoostingGroupFailure, AllTellOfTheFirstRow) {
  expect_message_on_row({17, 11}, "gradient of training row 11 is not finite");
  expect_message_on_row({6, 8}, "gradient of training row 6 is not finite");
  expect_message_on_row({19}, "gradient of training row 19 is not finite");
}

TEST(BoostingGroupFailure, AllTellThatTheMeanIsNotFinite) {
  BoostingTable table({20, 0, 2, 0, 0, 9, 0, false, false}, 1);
  table.weight.assign(20, 1);
  table.weight[17] = table.weight[11] = 1e308;
  table.target[11] = -1e308;
  table.target[17] = 1e308;
  table.bin();
  const Fits fits(table, {}, {{2, 9, 0}}, Precision::kAuto);
  const std::string alone = message_of([&] { fits.alone(); });
  EXPECT_THAT(alone, ::testing::HasSubstr("mean of the training target is not finite"));
  EXPECT_EQ(message_of([&] { fits.together(3, false); }), alone);
}

TEST(BoostingGroupTraffic, DoesNotGrowWithTheRows) {
  BoostingSettings settings;
  settings.early_stopping = options::EarlyStopping::kOff;
  std::vector<Traffic> of_round;
  for (const RowIndex n_rows : {20'000U, 60'000U}) {
    const BoostingTable table({n_rows, 0, 28, 0, 2, 255, 0, false, false}, 3);
    std::vector<Traffic> traffic(2);
    for (const std::int64_t n_rounds : {1, 2}) {
      const Fits fits(table, settings, {{n_rounds, 9, 0}}, Precision::kAuto);
      fits.together(2, false, 1, 0, {}, 0, &traffic[static_cast<std::size_t>(n_rounds) - 1]);
    }
    of_round.push_back(
        {traffic[1].n_calls - traffic[0].n_calls, traffic[1].n_bytes - traffic[0].n_bytes});
    RecordProperty("calls", static_cast<int>(of_round.back().n_calls));
    RecordProperty("bytes", static_cast<int>(of_round.back().n_bytes));
  }
  // Nodes of few rows send shorter numbers, and leaves that are too small ask again.
  constexpr std::size_t kPairs = 28 * 256 * 2 * sizeof(std::int64_t);
  for (const Traffic& traffic : of_round) {
    EXPECT_LE(traffic.n_calls, 6 * 31U);
    EXPECT_LE(traffic.n_bytes, 31 * (kPairs + 1000));
  }
}

}  // namespace
}  // namespace orchard::learn
