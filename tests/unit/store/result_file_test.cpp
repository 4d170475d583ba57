#include "orchard/store/result_file.hpp"

#include "orchard/store/compare.hpp"
#include "orchard/store/describe.hpp"
#include "store_fixture.hpp"

namespace orchard::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using ResultFileTest = StoreTest;

ResultFile example_results() {
  ResultFile file;
  file.program_version = "0.1.0";
  file.settings = {{"cv.n_splits", "2", {}, true}, {"job.random_state", "42", {}, true}};
  file.data_digest = "00ff";
  file.n_rows = 100;
  file.n_features = 7;
  auto& results = file.results;
  results.scorers = {"accuracy", "neg_log_loss"};
  results.n_splits = 2;
  results.points = {
      {0,
       "forest",
       options::Estimator::kRandomForestClassifier,
       {{"max_depth", std::monostate{}}, {"bootstrap", true}, {"n_estimators", std::int64_t{10}}},
       ""},
      {1,
       "boosting",
       options::Estimator::kHistGradientBoostingClassifier,
       {{"learning_rate", 1e-5}, {"scoring", std::string("loss")}, {"max_leaf_nodes", 1.0}},
       "a gradient is not finite"}};
  results.split_scores = {0.5, 0.75, -0.25, -0.5, 0.5, 0.25, std::nan(""), -1};
  results.mean_scores = {0.625, -0.375, 0.375, std::nan("")};
  results.std_scores = {0.125, 0.125, 0.125, std::nan("")};
  results.ranks = {1, 1, 2, 2};
  results.refit = "accuracy";
  results.best = 0;
  results.fit_s = {1, 2, 3, 4};
  results.score_s = {0.1, 0.2, 0.3, 0.4};
  return file;
}

TEST_F(ResultFileTest, RoundTrip) {
  const ResultFile before = example_results();
  save_results(path("results.h5"), before);
  const ResultFile after = load_results(path("results.h5"));
  EXPECT_EQ(after.program_version, before.program_version);
  ASSERT_EQ(after.settings.size(), 2u);
  EXPECT_EQ(after.settings[1].key, "job.random_state");
  EXPECT_EQ(after.settings[1].value, "42");
  EXPECT_EQ(after.data_digest, before.data_digest);
  EXPECT_EQ(after.n_rows, 100u);
  EXPECT_EQ(after.n_features, 7u);
  ASSERT_EQ(after.results.points.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto &a = after.results.points[i], &b = before.results.points[i];
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.grid, b.grid);
    EXPECT_EQ(a.estimator, b.estimator);
    EXPECT_EQ(a.params, b.params);
    EXPECT_EQ(a.failure, b.failure);
  }
  EXPECT_EQ(after.results.scorers, before.results.scorers);
  EXPECT_EQ(after.results.ranks, before.results.ranks);
  EXPECT_EQ(after.results.refit, "accuracy");
  EXPECT_EQ(after.results.best, 0);
  EXPECT_EQ(after.results.fit_s, before.results.fit_s);
  EXPECT_EQ(after.results.score_s, before.results.score_s);
  EXPECT_TRUE(std::isnan(after.results.split_scores[6]));
  EXPECT_EQ(after.results.split_scores[7], -1);
}

TEST_F(ResultFileTest, NothingSearchedIsStillAFile) {
  save_results(path("results.h5"), {});
  const ResultFile file = load_results(path("results.h5"));
  EXPECT_TRUE(file.results.points.empty());
  EXPECT_FALSE(file.results.best.has_value());
  EXPECT_NO_THROW(describe_file(path("results.h5")));
}

TEST_F(ResultFileTest, OnlyTimingMayDiffer) {
  ResultFile file = example_results();
  save_results(path("a.h5"), file);
  file.results.fit_s[0] = 99;
  save_results(path("b.h5"), file);
  EXPECT_THAT(differences(path("a.h5"), path("b.h5")), ElementsAre());
  file.results.split_scores[5] = 0.125;
  file.results.points[1].failure = "";
  save_results(path("b.h5"), file);
  EXPECT_THAT(differences(path("a.h5"), path("b.h5")),
              ElementsAre("/points/failure[1]: 'a gradient is not finite' | ''",
                          "/scores/split[1][1]: 0.25 | 0.125"));
}

TEST_F(ResultFileTest, DescriptionShowsTheBestPoints) {
  save_results(path("results.h5"), example_results());
  const std::string text = describe_file(path("results.h5"));
  EXPECT_THAT(text, HasSubstr("results file, format 1"));
  EXPECT_THAT(text, HasSubstr("2 (1 failed), 2 splits"));
  EXPECT_THAT(text, HasSubstr("point 0 (RandomForestClassifier) max_depth=none bootstrap=true"));
  EXPECT_THAT(text, HasSubstr("0.625 +- 0.125 (rank 1)"));
}

TEST_F(ResultFileTest, ACheckpointIsDescribedToo) {
  CheckpointStore store({directory_, "search"}, {{"job.random_state", "42"}});
  store.save(example_snapshot());
  const std::string text = describe_file(path("search.h5"));
  EXPECT_THAT(text, HasSubstr("checkpoint, format 2"));
  EXPECT_THAT(text, HasSubstr("3 tasks (2 failed)"));
  EXPECT_THAT(text, HasSubstr("task 9: 1 unit after"));
  EXPECT_THAT(text, HasSubstr("job.random_state = 42"));
  flip_bit(path("search.h5"), 2000);
  EXPECT_EQ(error_of([&] { describe_file(path("search.h5")); }).kind(), ErrorKind::kData);
}

}  // namespace
}  // namespace orchard::store
