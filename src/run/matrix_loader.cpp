#include "matrix_loader.hpp"

#include <algorithm>
#include <memory>

#include "orchard/base/text.hpp"
#include "orchard/data/matrix_file.hpp"
#include "table_memory.hpp"

namespace orchard::run {
namespace {

void agree_on_labels(comm::Communicator& node, data::MatrixFile& file, RowIndex first,
                     RowIndex last) {
  ByteWriter writer;
  node.together([&] {
    const auto labels = file.labels(first, last);
    writer.put(std::vector<std::string>(labels.begin(), labels.end()));
  });
  const auto of_ranks = node.all_gather(writer.take());
  node.together([&] {
    std::set<std::string> labels;
    for (const auto& bytes : of_ranks) {
      for (auto& label : ByteReader(bytes).get_strings()) labels.insert(std::move(label));
    }
    file.set_labels(labels);
  });
}

}  // namespace

LoadedTable load_matrix(comm::Communicator& node, const std::string& path,
                        const data::ReadRequest& request, parallel::Pool& pool, Features features) {
  std::shared_ptr<data::MatrixFile> file;
  node.together([&] { file = std::make_shared<data::MatrixFile>(path, request); });
  const auto part = [&](int rank) {
    return static_cast<RowIndex>(std::uint64_t{file->n_rows()} * static_cast<std::uint64_t>(rank) /
                                 static_cast<std::uint64_t>(node.size()));
  };
  const RowIndex first = part(node.rank()), last = part(node.rank() + 1);
  const bool has_labels = file->layout().target_column >= 0 && request.schema == nullptr &&
                          request.task == Task::kClassification;
  if (has_labels) agree_on_labels(node, *file, first, last);

  const bool holds_features = features == Features::kHeld;
  const Placement placement(file->layout(), holds_features);
  LoadedTable out;
  out.memory = node.allocate_shared(placement.n_bytes());
  const auto buffers = placement.buffers(out.memory.data);
  node.together([&] { file->read_vectors(first, last, buffers); });
  if (holds_features) {
    node.together([&] {
      std::vector<float*> columns;
      for (float* const column : buffers.columns) columns.push_back(column + first);
      file->read(0, columns.size(), first, last, columns, pool);
    });
  }
  node.barrier();
  out.table = view(file->layout(), buffers);
  if (!holds_features) {
    out.table.columns.assign(file->layout().schema.n_features(), nullptr);
    out.table.source = file;
  }
  node.together([&] {
    const auto& weight = out.table.weight;
    if (!weight.empty() && *std::max_element(weight.begin(), weight.end()) <= 0) {
      throw Error(ErrorKind::kData, format("no weight in '{}' is above zero.", request.weight),
                  path);
    }
  });
  out.digest = features == Features::kOnce ? data::table_digest(out.table, {})
                                           : shared_digest(node, out.table, pool);
  return out;
}

}  // namespace orchard::run
