#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "commands.hpp"
#include "jobs.hpp"
#include "orchard/base/text.hpp"
#include "table.hpp"

namespace orchard::options::testing {
namespace {

using ::testing::HasSubstr;

std::string file_text(const std::string& name) {
  std::ifstream file(std::string(ORCHARD_SOURCE_DIR) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(GeneratedFiles, AreUpToDate) {
  EXPECT_EQ(file_text("docs/options.md"), options_markdown())
      << "run: orchard list options-markdown > docs/options.md";
  EXPECT_EQ(file_text("configs/defaults.cfg"), defaults_file())
      << "run: orchard list defaults > configs/defaults.cfg";
}

TEST(GeneratedFiles, DefaultsFileSaysWhatTheDefaultsAre) {
  const auto written = parse(defaults_file());
  const auto short_job = parse(
      "[data]\ntrain = data/train.csv\ntarget = target\n"
      "[grid.forest]\nestimator = RandomForestClassifier\n"
      "[grid.boosting]\nestimator = HistGradientBoostingClassifier\n");
  ASSERT_EQ(written.resolved.size(), short_job.resolved.size());
  for (std::size_t i = 0; i < written.resolved.size(); ++i) {
    EXPECT_EQ(written.resolved[i].key, short_job.resolved[i].key);
    EXPECT_EQ(written.resolved[i].value, short_job.resolved[i].value) << written.resolved[i].key;
  }
  EXPECT_TRUE(written.notes.empty());
}

TEST(GeneratedFiles, TheCommentedKeysOfTheDefaultsFileAreGoodExamples) {
  auto text = defaults_file();
  for (const char* key : {"input", "cv", "scoring", "refit", "checkpoint_dir", "checkpoint_file"}) {
    const auto commented = format("\n# {} = ", key);
    const auto at = text.find(commented);
    ASSERT_NE(at, std::string::npos) << key;
    text.erase(at + 1, 2);
  }
  const auto job = parse(text);
  EXPECT_EQ(job.cv.cv, Splitter::kStratifiedKFold);
  EXPECT_EQ(job.checkpoint.checkpoint_dir, "out/checkpoints");
  EXPECT_EQ(job.data.input, "data/new.csv");
}

TEST(GeneratedFiles, NameEveryOption) {
  const auto markdown = options_markdown(), defaults = defaults_file();
  for (const auto& row : table()) {
    EXPECT_THAT(markdown, HasSubstr("| `" + row.name + "` |"));
    if (row.name == "like") continue;
    EXPECT_THAT(defaults, HasSubstr(row.name + " = "));
  }
}

TEST(Help, EveryTopicHasText) {
  std::vector<std::string> topics = {
      "", "values", "grid", "model", "cv.n_splits", "grid.max_depth", "grid.forest.max_depth"};
  for (const auto& info : commands()) topics.push_back(info.name);
  for (const auto& section : plain_sections()) topics.push_back(section);
  for (const auto estimator : estimators()) topics.push_back(name_of(estimator));
  for (const auto& topic : topics) {
    const auto text = help_text(topic);
    EXPECT_TRUE(text.ends_with('\n')) << topic;
    for (const auto& line : split(text, '\n')) EXPECT_LE(line.size(), 100U) << topic;
  }
  EXPECT_THAT(help_text("search"), HasSubstr("n_splits  (default: 5)"));
  EXPECT_THAT(help_text("predict"), HasSubstr("method  (default: predict)"));
  EXPECT_THAT(help_text(""), HasSubstr("--n-jobs VALUE"));
  EXPECT_THROW(help_text("nonsense"), Error);
}

TEST(Help, ListsEverything) {
  EXPECT_EQ(list_text("estimators"),
            "RandomForestClassifier\nRandomForestRegressor\nHistGradientBoostingClassifier\n"
            "HistGradientBoostingRegressor\n");
  EXPECT_THAT(list_text("scorers"), HasSubstr("neg_log_loss"));
  EXPECT_THAT(list_text("parameters"), HasSubstr("l2_regularization"));
  EXPECT_THAT(list_text("options"), HasSubstr("checkpoint.interval"));
  EXPECT_THAT(list_text(""), HasSubstr("scorers"));
  EXPECT_EQ(list_text("options-markdown"), options_markdown());
  EXPECT_EQ(list_text("defaults"), defaults_file());
  EXPECT_THROW(list_text("scorer"), Error);
}

}  // namespace
}  // namespace orchard::options::testing
