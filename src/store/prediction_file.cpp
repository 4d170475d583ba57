#include "orchard/store/prediction_file.hpp"

#include "orchard/base/file.hpp"
#include "orchard/h5/builder.hpp"

namespace orchard::store {
namespace {

void write_column(h5::Builder& builder, const PredictedColumn& column) {
  const std::string group = "/" + column.name;
  builder.make_group(group);
  if (column.classes.empty()) {
    builder.write(group + "/value", column.values);
    return;
  }
  builder.write_strings(group + "/classes", column.classes);
  if (column.is_probability) {
    const auto n_classes = column.classes.size();
    builder.write(group + "/probability", column.values, column.values.size() / n_classes,
                  n_classes);
    return;
  }
  std::vector<std::int32_t> labels(column.values.size());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    labels[row] = static_cast<std::int32_t>(column.values[row]);
  }
  builder.write(group + "/class", labels);
}

}  // namespace

void save_predictions(const std::string& path, const std::vector<PredictedColumn>& columns) {
  h5::Builder builder;
  for (const auto& column : columns) write_column(builder, column);
  const auto image = builder.finish();
  AtomicFile file(path);
  file.write(image.bytes());
  file.publish(true);
}

}  // namespace orchard::store
