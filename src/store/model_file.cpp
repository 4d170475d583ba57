#include "orchard/store/model_file.hpp"

#include "model_image.hpp"
#include "open_file.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "ragged.hpp"
#include "tree_arrays.hpp"

namespace orchard::store {
namespace {

using model::Combine;
using model::Ensemble;
using model::Feature;
using model::Schema;

void write_schema(h5::Builder& builder, const Schema& schema) {
  std::vector<std::string> names;
  std::vector<std::uint8_t> kinds;
  for (const auto& feature : schema.features) {
    names.push_back(feature.name);
    kinds.push_back(static_cast<std::uint8_t>(feature.kind));
  }
  builder.make_group("/schema");
  builder.write_strings("/schema/feature_names", names);
  builder.write("/schema/feature_kinds", kinds);
  write_ragged_texts(
      builder, "/schema/levels", schema.features,
      [](const Feature& feature) -> auto& { return feature.levels; });
  builder.write_strings("/schema/target", {schema.target});
  builder.write_strings("/schema/classes", schema.classes);
  builder.set_attribute("/schema", "task",
                        schema.task == Task::kClassification ? "classification" : "regression");
}

Task read_task(const h5::Reader& reader) {
  const std::string task = reader.text_attribute("/schema", "task");
  if (task == "classification") return Task::kClassification;
  if (task == "regression") return Task::kRegression;
  reader.fail("/schema@task",
              format("is '{}', expected classification or regression", escape(task)));
}

Schema read_schema(const h5::Reader& reader) {
  Schema schema;
  const auto names = reader.read_strings("/schema/feature_names");
  const auto kinds = reader.read<std::uint8_t>("/schema/feature_kinds", names.size());
  schema.features.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (kinds[i] > 1) reader.fail("/schema/feature_kinds", format("holds kind {}", kinds[i]));
    schema.features[i].name = names[i];
    schema.features[i].kind = static_cast<model::FeatureKind>(kinds[i]);
  }
  read_ragged_texts(reader, "/schema/levels", names.size(), [&](std::size_t i, auto levels) {
    schema.features[i].levels = std::move(levels);
  });
  schema.target = read_texts(reader, "/schema/target", 1)[0];
  schema.classes = reader.read_strings("/schema/classes");
  schema.task = read_task(reader);
  return schema;
}

Combine read_combine(const h5::Reader& reader) {
  const std::string combine = reader.text_attribute("/", "combine");
  if (combine == "average") return Combine::kAverage;
  if (combine == "sum") return Combine::kSum;
  reader.fail("/@combine", format("is '{}', expected average or sum", escape(combine)));
}

void read_params(const h5::Reader& reader, Ensemble& ensemble) {
  const auto names = reader.read_strings("/params/names");
  const auto values = read_texts(reader, "/params/values", names.size());
  for (std::size_t i = 0; i < names.size(); ++i) ensemble.params.emplace_back(names[i], values[i]);
}

}  // namespace

void write_model(h5::Builder& builder, const Ensemble& ensemble, const TreeList& trees) {
  builder.set_attribute("/", "program", "orchard");
  builder.set_attribute("/", "estimator", ensemble.estimator);
  builder.set_attribute("/", "combine", ensemble.combine == Combine::kSum ? "sum" : "average");
  builder.set_attribute("/", "n_outputs", std::int64_t{ensemble.n_outputs});
  builder.set_attribute("/", "value_exponent", std::int64_t{ensemble.value_exponent});
  write_schema(builder, ensemble.schema);
  std::vector<std::string> names, values;
  for (const auto& [name, value] : ensemble.params) {
    names.push_back(name);
    values.push_back(value);
  }
  builder.make_group("/params");
  builder.write_strings("/params/names", names);
  builder.write_strings("/params/values", values);
  builder.write("/baseline", ensemble.baseline);
  write_trees(builder, "/trees", trees);
}

Ensemble read_model(ByteSpan file, const std::string& name) {
  const h5::Reader reader(file, name);
  Ensemble ensemble;
  ensemble.estimator = reader.text_attribute("/", "estimator");
  ensemble.combine = read_combine(reader);
  ensemble.n_outputs = read_int32(reader, "/", "n_outputs");
  ensemble.value_exponent = read_int32(reader, "/", "value_exponent");
  ensemble.schema = read_schema(reader);
  read_params(reader, ensemble);
  ensemble.baseline = reader.read<std::int64_t>("/baseline");
  ensemble.trees = read_trees(reader, "/trees");
  try {
    ensemble.validate();
  } catch (const Error& error) {
    throw Error(error.kind(), error.message(), name, error.hint());
  }
  return ensemble;
}

void write_model(h5::Builder& builder, const Ensemble& ensemble) {
  const std::vector<model::PackedTree> packed(ensemble.trees.begin(), ensemble.trees.end());
  TreeList trees;
  for (const auto& tree : packed) trees.push_back(&tree);
  write_model(builder, ensemble, trees);
}

void save_model(const std::string& path, const Ensemble& ensemble) {
  publish(path, h5::FileKind::kModel, kModelFormat,
          [&](h5::Builder& builder) { write_model(builder, ensemble); });
}

void save_model(const std::string& path, const Ensemble& head,
                const std::vector<model::Unit>& units) {
  require(head.trees.empty(), "a model's trees are those of the units");
  TreeList trees;
  for (const auto& unit : units) {
    for (const auto& tree : unit.packed()) trees.push_back(&tree);
  }
  publish(path, h5::FileKind::kModel, kModelFormat,
          [&](h5::Builder& builder) { write_model(builder, head, trees); });
}

Ensemble load_model(const std::string& path) {
  const OpenFile file = open_verified(path, h5::FileKind::kModel, kModelFormat);
  return read_model(file.bytes, path);
}

}  // namespace orchard::store
