#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/options/parse.hpp"

namespace orchard::options {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandLine parse(const std::vector<std::string>& arguments) {
  return parse_command_line(arguments);
}

std::vector<std::string> overrides(const CommandLine& line) {
  std::vector<std::string> out;
  for (const auto& each : line.overrides) out.push_back(each.key + "=" + each.value);
  return out;
}

std::string complaint(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kUsage ? error.what() : "wrong kind of error";
  }
  return {};
}

TEST(CommandLine, CommandsAndOperands) {
  EXPECT_EQ(parse({"search", "a.cfg"}).command, Command::kSearch);
  EXPECT_EQ(parse({"train", "a.cfg"}).command, Command::kTrain);
  EXPECT_EQ(parse({"predict", "a.cfg"}).command, Command::kPredict);
  EXPECT_EQ(parse({"plan", "a.cfg"}).command, Command::kPlan);
  EXPECT_THAT(parse({"inspect", "m.h5"}).operands, ElementsAre("m.h5"));
  EXPECT_THAT(parse({"compare", "a", "b"}).operands, ElementsAre("a", "b"));
  EXPECT_THAT(parse({"list"}).operands, ElementsAre());
  EXPECT_THAT(parse({"list", "scorers"}).operands, ElementsAre("scorers"));
  EXPECT_THAT(parse({"help", "cv"}).operands, ElementsAre("cv"));
}

TEST(CommandLine, OptionsInEveryForm) {
  const auto line = parse({"--cv.n_splits=4", "search", "--job.name", "x", "a.cfg", "--n-jobs",
                           "-1", "--grid.forest.max_depth=4,8", "--output-dir=o", "--random-state",
                           "7", "--resume", "none", "-v"});
  EXPECT_EQ(line.command, Command::kSearch);
  EXPECT_THAT(line.operands, ElementsAre("a.cfg"));
  EXPECT_THAT(overrides(line),
              ElementsAre("cv.n_splits=4", "job.name=x", "parallel.n_jobs=-1",
                          "grid.forest.max_depth=4,8", "job.output_dir=o", "job.random_state=7",
                          "checkpoint.resume_from_checkpoint=none", "job.verbose=2"));
  EXPECT_THAT(overrides(parse({"search", "a", "-q"})), ElementsAre("job.verbose=0"));
  EXPECT_THAT(overrides(parse({"search", "a", "--data.train=a#b = c.csv"})),
              ElementsAre("data.train=a#b = c.csv"));
  EXPECT_THAT(overrides(parse({"predict", "a", "--model.m.file=x.h5"})),
              ElementsAre("model.m.file=x.h5"));
}

TEST(CommandLine, EndOfOptions) {
  EXPECT_THAT(parse({"search", "--", "--odd.cfg"}).operands, ElementsAre("--odd.cfg"));
}

TEST(CommandLine, HelpAndVersion) {
  for (const auto& arguments : {std::vector<std::string>{"--help"}, {"-h"}, {"help"}}) {
    EXPECT_EQ(parse(arguments).command, Command::kHelp);
    EXPECT_TRUE(parse(arguments).operands.empty());
  }
  EXPECT_EQ(parse({"search", "--help"}).command, Command::kHelp);
  EXPECT_THAT(parse({"search", "--help"}).operands, ElementsAre("search"));
  EXPECT_EQ(parse({"--version"}).command, Command::kVersion);
}

TEST(CommandLine, RanksOfAPlan) {
  EXPECT_EQ(parse({"plan", "a", "--ranks", "64"}).n_ranks, 64);
  EXPECT_EQ(parse({"plan", "a"}).n_ranks, std::nullopt);
  EXPECT_THAT(complaint({"plan", "a", "--ranks", "0"}), HasSubstr("--ranks: 0: expected"));
  EXPECT_THAT(complaint({"plan", "a", "--ranks", "x"}), HasSubstr("expected an integer"));
  EXPECT_THAT(complaint({"search", "a", "--ranks", "4"}), HasSubstr("option of plan only"));
}

TEST(CommandLine, Refused) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> catalogue = {
      {{}, "no command. Usage: orchard COMMAND"},
      {{"serch", "a"}, "unknown command 'serch'. Did you mean 'search'?"},
      {{"search"}, "search needs JOB: orchard search JOB."},
      {{"search", "a", "foo"}, "unexpected 'foo': orchard search JOB."},
      {{"search", ""}, "an empty operand."},
      {{"compare", "a"}, "compare needs DIR_B"},
      {{"list", "a", "b"}, "unexpected 'b'"},
      {{"search", "a", "--treees"}, "--treees: unknown option."},
      {{"search", "a", "--n-job", "3"}, "--n-job: unknown option. Did you mean --n-jobs?"},
      {{"search", "a", "--resum=x"}, "--resum: unknown option. Did you mean --resume?"},
      {{"search", "a", "--threads", "-5"}, "--threads: unknown option. Did you mean --n-jobs?"},
      {{"search", "a", "--n_splits=3"}, "unknown option. Write --cv.n_splits=VALUE."},
      {{"search", "a", "--eta=3"}, "Write --grid.NAME.learning_rate=VALUE."},
      {{"search", "a", "--cv.n_split=3"}, "--cv.n_split: unknown key 'n_split' in [cv]"},
      {{"search", "a", "--cv.n_spl=3"}, "unknown key 'n_spl' in [cv]"},
      {{"search", "a", "--vc.n_splits=3"}, "--vc.n_splits: unknown section [vc]"},
      {{"search", "a", "--grid.f.eta=3"}, "--grid.f.eta: 'eta' is XGBoost's name."},
      {{"search", "a", "--job.name"}, "--job.name: needs a value."},
      {{"search", "a", "--job.name="}, "--job.name: needs a value."},
      {{"search", "a", "--job.name", "--cv.n_splits=3"}, "--job.name: needs a value."},
      {{"search", "a", "--n-jobs", "2", "--n-jobs=3"}, "--n-jobs: is given twice."},
      {{"search", "a", "--n-jobs=2", "--parallel.n_jobs=3"}, "sets the same as --n-jobs."},
      {{"search", "a", "-v", "-v"}, "-v: is given twice."},
      {{"search", "a", "-v", "-q"}, "-q: sets the same as -v."},
      {{"search", "a", "-x"}, "-x: unknown option."},
      {{"search", "a", "--help=yes"}, "--help: takes no value."},
      {{"inspect", "a", "--n-jobs=2"}, "inspect takes no options."},
      {{"search", "a\nb"}, "a control character (\\x0a)"},
      {{"search", "a", "--job.name=x\x01"}, "a control character"},
      {{"search", std::string("a"), std::string("--") + std::string(100000, 'x')},
       "unknown option."},
      {{std::string(100000, '\xff')}, "unknown command '\\xff"},
  };
  for (const auto& [arguments, says] : catalogue) {
    const auto message = complaint(arguments);
    EXPECT_THAT(message, HasSubstr(says)) << join(arguments, " ").substr(0, 100);
    EXPECT_LT(message.size(), 1000U);
  }
}

TEST(CommandLine, AllProblemsAtOnce) {
  const auto message = complaint({"search", "a", "--cv.n_split=3", "-x", "--job.name="});
  EXPECT_EQ(split(message, '\n').size(), 3U) << message;
}

TEST(CommandLine, AnUnknownOptionsValueIsNotAStrayWord) {
  const auto message = complaint({"search", "a", "--treees", "word"});
  EXPECT_EQ(split(message, '\n').size(), 1U) << message;
}

}  // namespace
}  // namespace orchard::options
