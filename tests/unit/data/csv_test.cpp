#include <gmock/gmock.h>

#include <clocale>
#include <cmath>

#include "orchard/base/error.hpp"
#include "orchard/data/csv.hpp"
#include "scratch_file.hpp"

namespace orchard::data {
namespace {

using model::FeatureKind;
using ::testing::ElementsAre;
using testing::ScratchFile;

std::unique_ptr<OwnedTable> read(const std::string& text, const ReadRequest& request) {
  const ScratchFile file(text);
  return read_csv(file.path(), request);
}

ReadRequest target(const std::string& name, Task task = Task::kClassification) {
  ReadRequest request;
  request.target = name;
  request.task = task;
  return request;
}

/// NaN as -999, so that columns compare.
std::vector<float> shown(const std::vector<float>& column) {
  std::vector<float> out = column;
  for (float& value : out) {
    if (std::isnan(value)) value = -999;
  }
  return out;
}

TEST(ReadCsv, NumbersLevelsAndClasses) {
  const auto owned = read(
      "age,colour,y\n"
      "1.5,red,no\n"
      ",blue,yes\n"
      " -0 ,,no\n"
      "\"3\",red,yes\n",
      target("y"));
  const Table& table = owned->table;
  EXPECT_EQ(table.n_rows, 4u);
  ASSERT_EQ(table.schema.n_features(), 2u);
  EXPECT_EQ(table.schema.features[0], (model::Feature{"age", FeatureKind::kNumeric, {}}));
  EXPECT_EQ(table.schema.features[1],
            (model::Feature{"colour", FeatureKind::kCategorical, {"blue", "red"}}));
  EXPECT_THAT(shown(owned->columns[0]), ElementsAre(1.5f, -999, 0, 3));
  EXPECT_FALSE(std::signbit(owned->columns[0][2]));
  EXPECT_THAT(shown(owned->columns[1]), ElementsAre(1, 0, -999, 1));
  EXPECT_THAT(table.schema.classes, ElementsAre("no", "yes"));
  EXPECT_THAT(owned->target, ElementsAre(0, 1, 0, 1));
  EXPECT_TRUE(owned->weight.empty());
}

TEST(ReadCsv, QuotedCells) {
  const auto owned = read(
      "\"a,1\",\"b\"\"2\",\"y\nz\"\r\n"
      "\"x, \"\"y\"\"\",\"\",1\r\n"
      "\"two\r\nlines\", blank ,0\r\n",
      target("y\nz"));
  const auto& features = owned->table.schema.features;
  EXPECT_EQ(features[0].name, "a,1");
  EXPECT_EQ(features[1].name, "b\"2");
  EXPECT_THAT(features[0].levels, ElementsAre("two\r\nlines", "x, \"y\""));
  EXPECT_THAT(features[1].levels, ElementsAre(" blank "));
  EXPECT_THAT(shown(owned->columns[0]), ElementsAre(1, 0));
  EXPECT_THAT(shown(owned->columns[1]), ElementsAre(-999, 0));
}

TEST(ReadCsv, LineEndsAndByteOrderMarkDoNotMatter) {
  const std::string plain = "a,b,y\n1,u,0\n2,v,1\n";
  const auto expected = table_digest(read(plain, target("y"))->table);
  for (const std::string text :
       {"a,b,y\n1,u,0\n2,v,1", "a,b,y\r\n1,u,0\r\n2,v,1\r\n", "a,b,y\r1,u,0\r2,v,1\r",
        "\xef\xbb\xbf"
        "a,b,y\n1,u,0\n2,v,1\n",
        "a,b,y\n1,u,0\n2,v,1\n\n\r\n\n", " a,b ,y\n 1,u,0\n+2.0,v,1\n",
        "\"a\",\"b\",\"y\"\n\"1\",\"u\",\"0\"\n2e0,\"v\",1"}) {
    EXPECT_EQ(table_digest(read(text, target("y"))->table), expected) << text;
  }
}

TEST(ReadCsv, DigestSeesEverything) {
  auto request = target("y");
  request.weight = "w";
  request.fold_column = "k";
  const std::string plain = "a,b,w,k,y\n1,u,1,0,0\n2,v,1,1,1\n";
  const auto expected = table_digest(read(plain, request)->table);
  EXPECT_EQ(table_digest(read(plain, request)->table), expected);
  for (const std::string other :
       {"A,b,w,k,y\n1,u,1,0,0\n2,v,1,1,1\n", "a,b,w,k,y\n1,u,1,0,0\n3,v,1,1,1\n",
        "a,b,w,k,y\n1,u,1,0,0\n2,w,1,1,1\n", "a,b,w,k,y\n1,u,2,0,0\n2,v,1,1,1\n",
        "a,b,w,k,y\n1,u,1,0,0\n2,v,1,2,1\n", "a,b,w,k,y\n1,u,1,0,0\n2,v,1,1,2\n",
        "a,b,w,k,y\n2,v,1,1,1\n1,u,1,0,0\n", "a,b,w,k,y\n,u,1,0,0\n2,v,1,1,1\n"}) {
    EXPECT_NE(table_digest(read(other, request)->table), expected) << other;
  }
}

TEST(ReadCsv, DigestBlocksAreFixed) {
  std::string text = "a,y\n";
  for (int i = 0; i < 70000; ++i) text += std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  const auto owned = read(text, target("y"));
  const auto before = table_digest(owned->table);
  std::swap(owned->columns[0][3], owned->columns[0][69000]);
  EXPECT_NE(table_digest(owned->table), before);
  std::swap(owned->columns[0][3], owned->columns[0][69000]);
  EXPECT_EQ(table_digest(owned->table), before);
}

TEST(ReadCsv, ClassOrder) {
  const auto classes = [](const std::string& labels) {
    std::string text = "a,y\n";
    for (const char label : labels) text += std::string("1,") + label + "\n";
    return read(text, target("y"))->table.schema.classes;
  };
  EXPECT_THAT(classes("ba"), ElementsAre("a", "b"));
  EXPECT_THAT(classes("2a1"), ElementsAre("1", "2", "a"));
  const auto owned = read("a,y\n1,10\n1,9\n1,-1\n1,9.0\n1, 10\n1,+9\n", target("y"));
  EXPECT_THAT(owned->table.schema.classes, ElementsAre("-1", "9", "10"));
  EXPECT_THAT(owned->target, ElementsAre(2, 1, 0, 1, 2, 1));
}

TEST(ReadCsv, RegressionTargetStaysDouble) {
  const auto owned = read("a,y\n1,0.1\n2,-0.0\n3,16777217\n", target("y", Task::kRegression));
  EXPECT_THAT(owned->target, ElementsAre(0.1, 0.0, 16777217.0));
  EXPECT_FALSE(std::signbit(owned->target[1]));
  EXPECT_TRUE(owned->table.schema.classes.empty());
}

TEST(ReadCsv, NumbersAreRoundedTwice) {
  // Halfway between two floats in decimal, just above in double: rounding goes through double.
  const auto owned = read("a,y\n1.00000005960464477539062500000000001,0\n0.1,1\n", target("y"));
  EXPECT_EQ(owned->columns[0][0], static_cast<float>(1.000000059604644775390625));
  EXPECT_EQ(owned->columns[0][1], 0.1f);
}

TEST(ReadCsv, KindsOfColumns) {
  auto request = target("y");
  request.categorical_features = {"code"};
  request.drop = {"id"};
  const auto owned = read(
      "id,code,mixed,none,y\n"
      "x1,1,1,,0\n"
      "x2,1.0,a,,1\n"
      "x3,,2,,1\n"
      "x4,10,b,,1\n",
      request);
  const auto& features = owned->table.schema.features;
  ASSERT_EQ(features.size(), 3u);
  EXPECT_THAT(features[0].levels, ElementsAre("1", "1.0", "10"));
  EXPECT_THAT(shown(owned->columns[0]), ElementsAre(0, 1, -999, 2));
  EXPECT_EQ(features[1].kind, FeatureKind::kCategorical);  // half of its cells are numbers
  EXPECT_THAT(features[1].levels, ElementsAre("1", "2", "a", "b"));
  EXPECT_THAT(shown(owned->columns[1]), ElementsAre(0, 2, 1, 3));
  EXPECT_EQ(features[2].kind, FeatureKind::kNumeric);
  EXPECT_THAT(shown(owned->columns[2]), ElementsAre(-999, -999, -999, -999));
}

TEST(ReadCsv, WeightsAndFolds) {
  auto request = target("y");
  request.weight = "w";
  request.fold_column = "k";
  const auto owned = read("w,a,k,y\n0,1,-1,0\n2.5,2,3,1\n1e-3,3,0.0,1\n", request);
  EXPECT_EQ(owned->table.schema.n_features(), 1u);
  EXPECT_THAT(owned->weight, ElementsAre(0, 2.5, 1e-3));
  EXPECT_THAT(owned->fold, ElementsAre(-1, 3, 0));
  EXPECT_EQ(owned->table.weight.size(), 3u);
  EXPECT_EQ(owned->table.fold.data(), owned->fold.data());
}

TEST(ReadCsv, OneColumnKeepsEmptyLines) {
  model::Schema schema;
  schema.features = {{"a;b", FeatureKind::kNumeric, {}}};
  ReadRequest request;
  request.schema = &schema;
  EXPECT_THAT(shown(read("a;b\n1\n\n2\n", request)->columns[0]), ElementsAre(1, -999, 2));
  EXPECT_THAT(shown(read("a;b\n1\n2\n\n", request)->columns[0]), ElementsAre(1, 2, -999));
  EXPECT_THAT(shown(read("a;b\n1\n2", request)->columns[0]), ElementsAre(1, 2));
}

model::Schema trained_schema() {
  model::Schema schema;
  schema.features = {{"colour", FeatureKind::kCategorical, {"blue", "red"}},
                     {"age", FeatureKind::kNumeric, {}}};
  schema.target = "y";
  schema.classes = {"no", "yes"};
  return schema;
}

TEST(ReadCsv, PredictionFindsFeaturesByName) {
  const auto schema = trained_schema();
  ReadRequest request;
  request.schema = &schema;
  const auto owned = read(
      "age,note,colour,note,\n"
      "1,\"a,b\",red,,\n"
      ",c,green,7,x\n"
      "3,,,,\n",
      request);
  EXPECT_EQ(owned->table.schema, schema);
  EXPECT_THAT(shown(owned->columns[0]), ElementsAre(1, -999, -999));
  EXPECT_THAT(shown(owned->columns[1]), ElementsAre(1, -999, 3));
  EXPECT_TRUE(owned->target.empty());
  EXPECT_TRUE(owned->table.target.empty());
}

TEST(ReadCsv, SchemaWithTargetKeepsItsClasses) {
  const auto schema = trained_schema();
  auto request = target("y");
  request.schema = &schema;
  EXPECT_THAT(read("age,colour,y\n1,red,yes\n2,red,yes\n", request)->target, ElementsAre(1, 1));
}

TEST(ReadCsv, LocaleDoesNotMatter) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  if (std::setlocale(LC_ALL, "de_DE.UTF-8") == nullptr) GTEST_SKIP() << "no such locale here";
  const auto owned = read("a,y\n1.5,0.25\n2,1\n", target("y", Task::kRegression));
  std::setlocale(LC_ALL, before.c_str());
  EXPECT_EQ(owned->columns[0][0], 1.5f);
  EXPECT_EQ(owned->target[0], 0.25);
}

TEST(ReadFoldFile, OneIntegerALine) {
  EXPECT_THAT(read_fold_file(ScratchFile("0\n1\r\n-1\n 4 \n\n").path(), 4),
              ElementsAre(0, 1, -1, 4));
  const auto message = [](const std::string& text) -> std::string {
    const ScratchFile file(text);
    try {
      read_fold_file(file.path(), 2);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("0\n1.5\n"), ::testing::HasSubstr(":2: '1.5' is no fold"));
  EXPECT_THAT(message("0\n-2\n"), ::testing::HasSubstr(":2: '-2' is no fold"));
  EXPECT_THAT(message("0\n\n1\n"), ::testing::HasSubstr(":2: '' is no fold"));
  EXPECT_THAT(message("0\n"), ::testing::HasSubstr("1 fold; the table has 2 rows"));
  EXPECT_THAT(message("0\n1\n1\n"), ::testing::HasSubstr("3 folds; the table has 2 rows"));
}

}  // namespace
}  // namespace orchard::data
