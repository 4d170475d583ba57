#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orchard/base/error.hpp"
#include "orchard/data/csv.hpp"
#include "scratch_file.hpp"

namespace orchard::data {
namespace {

using ::testing::HasSubstr;
using testing::ScratchFile;

/// What kData says about a file, without the path.
std::string complaint(const std::string& path, const ReadRequest& request) {
  try {
    read_csv(path, request);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData) << error.what();
    const std::string text = error.what();
    EXPECT_EQ(text.compare(0, path.size(), path), 0) << text;
    return text.substr(path.size());
  }
  return "no complaint";
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> expected;
  std::function<void(ReadRequest&)> change = [](ReadRequest&) {};
};

void regression(ReadRequest& request) { request.task = Task::kRegression; }
void weighted(ReadRequest& request) { request.weight = "w"; }
void folded(ReadRequest& request) { request.fold_column = "k"; }

const std::vector<Case>& cases() {
  using namespace std::string_literals;
  static const std::vector<Case> all = {
      {"empty", "", {"is empty", "0 data rows"}},
      {"only a mark", "\xef\xbb\xbf", {":1: ", "no column 'y'"}},
      {"only header", "a,y\n", {"0 data rows"}},
      {"only blank lines", "\n\n\n", {"no column 'y'"}},
      {"few cells", "a,b,y\n1,2,0\n1,2\n", {":3: a row of 2 cells; 3 expected"}},
      {"many cells", "a,b,y\n1,2,0\n1,2,0,4,5\n", {":3: a row of 5 cells; 3 expected"}},
      {"empty line", "a,b,y\n1,2,0\n\n1,2,1\n", {":3: an empty line"}},
      {"no target", "a,yy\n1,2\n", {"no column 'y' for target", "'yy'?", "header holds: a, yy"}},
      {"no header", "1,2\n3,4\n", {"no column 'y'", "is the header missing?"}},
      {"same name", "a,b,a,y\n1,2,3,0\n", {"columns 1 and 3", "same name 'a'"}},
      {"no name", ",a,y\n0,1,0\n1,1,1\n", {"column 1 of the header has no name", "index"}},
      {"semicolons", "a;b;y\n1,5;2;0\n", {"no comma but semicolons"}},
      {"tabs", "a\tb\ty\n1\t2\t0\n", {"no comma but tabs"}},
      {"decimal comma",
       "a,y\n1.5,0\n2.5,0\n\"3,5\",1\n",
       {":4: column 'a' holds the text '3,5'; 2 of its 3 cells are numbers", "with a point"}},
      {"text", "a,y\n1,0\n2,1\nthree,1\n", {":4: column 'a' holds the text 'three'"}},
      {"NA", "a,y\n1,0\n2,1\nNA,1\n", {":4: ", "Only an empty cell means missing"}},
      {"blank cell", "a,y\n1,0\n2,1\n ,1\n", {":4: ", "Only an empty cell means missing"}},
      {"inf", "a,y\n1,0\n2,1\n-inf,1\n", {":4: ", "Infinite values"}},
      {"hexadecimal", "a,y\n1,0\n2,1\n0x10,1\n", {":4: ", "'0x10'"}},
      {"too great", "a,y\n1,0\n-3.5e38,1\n", {":3: column 'a': '-3.5e38' is beyond the range"}},
      {"far too great", "a,y\n1,0\n1e400,1\n", {":3: column 'a': '1e400' is beyond the range"}},
      {"quote inside", "a,y\n1,0\n5\" pipe,1\n", {":3: a quote inside the unquoted cell"}},
      {"text after quote", "a,y\n1,0\n\"b\"c,1\n", {":3: text after the closing quote"}},
      {"open quote", "a,y\n1,0\n\"b,1\n", {":3: a quoted cell that is never closed"}},
      {"open header", "\"a,y\n1,0\n", {":1: the header holds a quoted cell that is never closed"}},
      {"NUL", "a,y\n1,\0\n"s, {"NUL byte at byte 6"}},
      {"late NUL", "a,y\n" + std::string(70000, 'x') + ",0\nb\0,1\n"s, {":3: a NUL byte"}},
      {"gzip", "\x1f\x8b\x08", {"looks like gzip"}},
      {"HDF5", "\x89HDF\r\n\x1a\n", {"looks like HDF5"}},
      {"UTF-16",
       "\xff\xfe"
       "a",
       {"looks like UTF-16"}},
      {"Latin-1 header",
       "gr\xf6\xdf"
       "e,y\n1,0\n",
       {":1: the header is not UTF-8: byte 2"}},
      {"Latin-1 level", "a,y\ngr\xfcn,0\nrot,1\n", {"column 'a' holds 'gr\\xfcn'", "not UTF-8"}},
      {"target empty", "a,y\n1,0\n2,\n3,1\n4,\n", {":3: the target 'y' is empty (2 of 4 rows)"}},
      {"one class", "a,y\n1,0\n2,0.0\n", {"one class only, '0'"}},
      {"text target",
       "a,y\n1,0.5\n2,low\n",
       {":3: column 'y' holds the text 'low'", "classifiers"},
       regression},
      {"great target", "a,y\n1,0.5\n2,1e308\n", {":3: column 'y': '1e308' is beyond"}, regression},
      {"no feature", "y\n1\n0\n", {"no column is left as a feature"}},
      {"negative weight",
       "a,w,y\n1,1,0\n2,-1,1\n",
       {":3: column 'w': '-1' is no weight"},
       weighted},
      {"empty weight", "a,w,y\n1,1,0\n2,,1\n", {":3: the weight 'w' is empty"}, weighted},
      {"nan weight", "a,w,y\n1,1,0\n2,nan,1\n", {":3: column 'w' holds the text 'nan'"}, weighted},
      {"zero weights",
       "a,w,y\n1,0,0\n2,-0.0,1\n",
       {"no weight in column 'w' is above zero"},
       weighted},
      {"no weight", "a,y\n1,0\n2,1\n", {"no column 'w' for weight"}, weighted},
      {"fold", "a,k,y\n1,0,0\n2,0.5,1\n", {":3: column 'k': '0.5' is no fold"}, folded},
      {"low fold", "a,k,y\n1,0,0\n2,-2,1\n", {":3: column 'k': '-2' is no fold"}, folded},
      {"empty fold", "a,k,y\n1,0,0\n2,,1\n", {":3: the fold column 'k' is empty"}, folded},
      {"drop",
       "age,y\n1,0\n2,1\n",
       {"no column 'agee' for drop", "'age'?"},
       [](ReadRequest& request) { request.drop = {"agee"}; }},
      {"categorical",
       "age,y\n1,0\n2,1\n",
       {"no column 'x' for categorical_features"},
       [](ReadRequest& request) { request.categorical_features = {"x"}; }},
      {"two uses",
       "a,y\n1,0\n2,1\n",
       {"column 'y' is asked for as target and as drop"},
       [](ReadRequest& request) { request.drop = {"y"}; }}};
  return all;
}

TEST(BadCsv, EachIsRefusedWithItsReason) {
  for (const Case& bad : cases()) {
    SCOPED_TRACE(bad.name);
    ReadRequest request;
    request.target = "y";
    bad.change(request);
    const ScratchFile file(bad.text);
    const std::string text = complaint(file.path(), request);
    for (const auto& expected : bad.expected) EXPECT_THAT(text, HasSubstr(expected));
  }
}

TEST(BadCsv, Prediction) {
  model::Schema schema;
  schema.features = {{"age", model::FeatureKind::kNumeric, {}},
                     {"colour", model::FeatureKind::kCategorical, {"blue", "red"}}};
  schema.classes = {"0", "1"};
  ReadRequest request;
  request.schema = &schema;
  const auto refusal = [&](const std::string& text) {
    const ScratchFile file(text);
    return complaint(file.path(), request);
  };
  EXPECT_THAT(refusal("age,color\n1,red\n"), HasSubstr("no column 'colour' for a feature of the"));
  EXPECT_THAT(refusal("age,colour\n1,red\nold,red\n"),
              HasSubstr(":3: column 'age' holds the text"));
  EXPECT_THAT(refusal("age,colour,age\n1,red,2\n"), HasSubstr("columns 1 and 3"));
  EXPECT_THAT(refusal("age,colour\n1\n"), HasSubstr(":2: a row of 1 cell; 2 expected"));
  request.target = "y";
  EXPECT_THAT(refusal("age,colour\n1,red\n"), HasSubstr("no column 'y' for target"));
  EXPECT_THAT(refusal("age,colour,y\n1,red,2\n"), HasSubstr("'2' is none of the classes (0, 1)"));
}

TEST(BadCsv, WhatIsNoFile) {
  const ReadRequest request;
  EXPECT_THAT(complaint(::testing::TempDir(), request), HasSubstr("is a directory"));
  EXPECT_THAT(complaint("/nonexistent/x.csv", request), HasSubstr("No such file"));
  const std::string pipe = ::testing::TempDir() + "orchard-pipe-" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(complaint(pipe, request), HasSubstr("no regular file"));
  ::unlink(pipe.c_str());
}

}  // namespace
}  // namespace orchard::data
