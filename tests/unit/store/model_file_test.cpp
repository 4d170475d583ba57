#include "orchard/store/model_file.hpp"

#include "model_image.hpp"
#include "orchard/h5/builder.hpp"
#include "orchard/h5/user_block.hpp"
#include "orchard/store/compare.hpp"
#include "orchard/store/describe.hpp"
#include "store_fixture.hpp"

namespace orchard::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ModelFileTest : public StoreTest {
 protected:
  /// Writes a model without looking at it, loads it, and tells what was said.
  std::string refusal(const model::Ensemble& ensemble) const {
    save_model(path("crafted.h5"), ensemble);
    const Error error = error_of([&] { load_model(path("crafted.h5")); });
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    return error.what();
  }
};

TEST_F(ModelFileTest, RoundTrip) {
  save_model(path("model.h5"), example_model());
  EXPECT_EQ(load_model(path("model.h5")), example_model());
  EXPECT_THAT(names(), ElementsAre("model.h5"));
}

TEST_F(ModelFileTest, EqualModelsAreEqualBytes) {
  save_model(path("a.h5"), example_model());
  save_model(path("b.h5"), example_model());
  EXPECT_EQ(read_file(path("a.h5")), read_file(path("b.h5")));
}

TEST_F(ModelFileTest, HostileNamesRoundTrip) {
  auto ensemble = example_model();
  ensemble.schema.features[0].name = std::string("nul\0 <img> \xff\n", 13);
  ensemble.schema.features[0].levels = {"", std::string(70'000, 'x')};
  ensemble.schema.target = "";
  save_model(path("model.h5"), ensemble);
  EXPECT_EQ(load_model(path("model.h5")), ensemble);
}

TEST_F(ModelFileTest, CraftedTreesAreRefused) {
  auto model = example_model();
  model.trees[0].left[0] = 2;  // its right child would be node 3 of 3
  EXPECT_THAT(refusal(model), HasSubstr("crafted.h5: "));
  model = example_model();
  model.trees[0].left[0] = 0;
  refusal(model);
  model = example_model();
  model.trees[0].left[0] = INT32_MAX;
  refusal(model);
  model = example_model();
  model.trees[1].feature[0] = 2;
  refusal(model);
  model = example_model();
  model.trees[1].category_n_words[0] = 3;
  refusal(model);
  model = example_model();
  model.trees[0].value_row[1] = 2;
  refusal(model);
  model = example_model();
  model.trees[0].threshold[0] = std::numeric_limits<float>::quiet_NaN();
  refusal(model);
  model = example_model();
  model.n_outputs = 1 << 30;
  refusal(model);
}

TEST_F(ModelFileTest, WhatIsNoModelIsRefusedWithItsKind) {
  EXPECT_THAT(error_of([&] { load_model(path("absent.h5")); }).what(), HasSubstr("absent.h5"));
  std::ofstream(path("text.h5")) << std::string(2000, 'x');
  EXPECT_THAT(error_of([&] { load_model(path("text.h5")); }).what(),
              HasSubstr("not a file of orchard's"));
  h5::Image image = image_of([](h5::Builder& builder) { write_model(builder, example_model()); });
  h5::seal(image, h5::FileKind::kCheckpoint, 1, 1);
  write_bytes(path("checkpoint.h5"), image.bytes());
  EXPECT_THAT(error_of([&] { load_model(path("checkpoint.h5")); }).what(),
              HasSubstr("is a checkpoint, expected a model file"));
  h5::seal(image, h5::FileKind::kModel, kModelFormat + 1, 0);
  write_bytes(path("newer.h5"), image.bytes());
  EXPECT_THAT(error_of([&] { load_model(path("newer.h5")); }).what(),
              HasSubstr("has format 2 of a model file"));
}

TEST_F(ModelFileTest, DamageIsRefused) {
  save_model(path("model.h5"), example_model());
  flip_bit(path("model.h5"), 3000);
  EXPECT_THAT(error_of([&] { load_model(path("model.h5")); }).what(), HasSubstr("is damaged"));
}

TEST_F(ModelFileTest, AFailedSaveKeepsTheOldModel) {
  save_model(path("model.h5"), example_model());
  const Bytes before = read_file(path("model.h5"));
  EXPECT_EQ(run_in_child([&] {
              limit_files(4096);
              try {
                save_model(path("model.h5"), example_model());
              } catch (const Error& error) {
                return error.exit_code();
              }
              return 0;
            }),
            6);
  EXPECT_EQ(read_file(path("model.h5")), before);
  EXPECT_THAT(names(), ElementsAre("model.h5"));
}

TEST_F(ModelFileTest, DifferencesNameTheFirstValue) {
  auto other = example_model();
  other.trees[0].threshold[0] = 0.75F;
  other.trees[1].values[2] = 5;
  other.params[1].second = "3";
  other.value_exponent = -31;
  save_model(path("a.h5"), example_model());
  save_model(path("b.h5"), other);
  EXPECT_THAT(differences(path("a.h5"), path("a.h5")), ElementsAre());
  EXPECT_THAT(differences(path("a.h5"), path("b.h5")),
              ElementsAre("/@value_exponent: -30 | -31", "/params/values[1]: 'none' | '3'",
                          "/trees/threshold[0]: 0.5 | 0.75", "/trees/values[6]: 3 | 5"));
  EXPECT_EQ(differences(path("a.h5"), path("b.h5"), 1).size(), 1u);
  other = example_model();
  other.trees.pop_back();
  save_model(path("b.h5"), other);
  EXPECT_THAT(differences(path("a.h5"), path("b.h5")),
              ::testing::Contains("/trees/feature: int32 [6] | int32 [3]"));
  EXPECT_THAT(differences(path("a.h5"), path("b.h5")),
              ::testing::Contains("/trees/category_words: present | absent"));
}

TEST_F(ModelFileTest, DescriptionNamesWhatMatters) {
  save_model(path("model.h5"), example_model());
  const std::string text = describe_file(path("model.h5"));
  EXPECT_THAT(text, HasSubstr("model file, format 1"));
  EXPECT_THAT(text, HasSubstr("(verified)"));
  EXPECT_THAT(text, HasSubstr("RandomForestClassifier"));
  EXPECT_THAT(text, HasSubstr("2 with 6 nodes, depth up to 1"));
  EXPECT_THAT(text, HasSubstr("colour (categorical: blue, red)"));
  EXPECT_THAT(text, HasSubstr("n_estimators = 2"));
}

}  // namespace
}  // namespace orchard::store
