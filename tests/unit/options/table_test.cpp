#include "table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "suggest.hpp"
#include "value.hpp"

namespace orchard::options {
namespace {

TEST(Table, EveryRowIsComplete) {
  for (const auto& row : table()) {
    const auto key = row.section + "." + row.name;
    EXPECT_FALSE(row.name.empty());
    EXPECT_TRUE(row.help.ends_with('.')) << key;
    EXPECT_EQ(row.help.find('|'), std::string::npos) << key << ": breaks the markdown table";
    EXPECT_NE(row.commands, 0U) << key;
    EXPECT_NE(row.default_text.empty(), row.default_rule.empty()) << key;
    EXPECT_FALSE(describe(row.accepts).empty()) << key;
    EXPECT_EQ(row.required_by & ~row.commands, 0U) << key;
    const bool is_read_apart = row.section == "grid" && row.estimators == 0;
    EXPECT_NE(static_cast<bool>(row.store), is_read_apart) << key;
    EXPECT_EQ(row.is_axis, row.estimators != 0) << key;
  }
}

TEST(Table, KeysAreUnique) {
  std::set<std::string> keys, short_options;
  for (const auto& row : table()) {
    if (row.estimators == 0) {
      EXPECT_TRUE(keys.insert(row.section + "." + row.name).second) << row.name;
    }
    if (!row.short_option.empty()) {
      EXPECT_TRUE(short_options.insert(row.short_option).second) << row.short_option;
    }
  }
  for (const auto estimator : estimators()) {
    std::set<std::string> names;
    for (const auto* row : params_of(estimator)) EXPECT_TRUE(names.insert(row->name).second);
    EXPECT_FALSE(names.empty());
  }
}

TEST(Table, DefaultsAreReadBackAsTheyPrint) {
  for (const auto& row : table()) {
    if (row.default_text.empty()) continue;
    const auto printed = print_values(row.default_values);
    const auto again = read_option(row, printed);
    EXPECT_TRUE(again.problems.empty()) << row.name;
    EXPECT_EQ(again.values, row.default_values) << row.name;
    if (row.estimators == 0) continue;
    EXPECT_EQ(printed, row.default_text) << row.name;
  }
}

TEST(Table, DefaultsAgreeWithTheStructs) {
  const BoostingSettings boosting;
  const auto made =
      std::get<BoostingSettings>(make_settings(Estimator::kHistGradientBoostingClassifier, {}));
  EXPECT_EQ(made.max_iter, boosting.max_iter);
  EXPECT_EQ(made.tol, boosting.tol);
  EXPECT_EQ(made.max_leaf_nodes, boosting.max_leaf_nodes);
  const Job fresh;
  Job job;
  for (const auto& row : table()) {
    const bool is_plain = row.section != "grid" && row.section != "model";
    if (is_plain && !row.default_values.empty()) row.store({.job = &job}, row.default_values);
  }
  EXPECT_EQ(job.job.name, fresh.job.name);
  EXPECT_EQ(job.job.output_dir, fresh.job.output_dir);
  EXPECT_EQ(job.job.verbose, fresh.job.verbose);
  EXPECT_EQ(job.cv.n_splits, fresh.cv.n_splits);
  EXPECT_EQ(job.cv.shuffle, fresh.cv.shuffle);
  EXPECT_EQ(job.search.strategy, fresh.search.strategy);
  EXPECT_EQ(job.search.share_fits, fresh.search.share_fits);
  EXPECT_EQ(job.parallel.n_jobs, fresh.parallel.n_jobs);
  EXPECT_EQ(job.checkpoint.checkpoint_max_files, fresh.checkpoint.checkpoint_max_files);
  EXPECT_EQ(job.checkpoint.interval, fresh.checkpoint.interval);
  EXPECT_EQ(job.checkpoint.resume_from_checkpoint, fresh.checkpoint.resume_from_checkpoint);
  EXPECT_EQ(job.output.model, fresh.output.model);
  EXPECT_EQ(job.output.cv_results, fresh.output.cv_results);
  EXPECT_EQ(job.output.results, fresh.output.results);
  EXPECT_EQ(job.output.log, fresh.output.log);
  EXPECT_EQ(job.output.predictions, fresh.output.predictions);
}

TEST(Table, EveryForeignNameLeadsToAnOption) {
  std::set<std::string> ours;
  for (const auto& row : table()) ours.insert(row.name);
  std::set<std::string> seen;
  for (const auto& name : foreign_names()) {
    EXPECT_TRUE(ours.contains(foreign_meaning(name))) << name;
    EXPECT_FALSE(ours.contains(name)) << name << " is one of our own names";
    EXPECT_TRUE(seen.insert(name).second) << name << " stands twice";
  }
}

}  // namespace
}  // namespace orchard::options
