#include "orchard/run/table_loader.hpp"

#include <memory>

#include "orchard/base/text.hpp"

namespace orchard::run {
namespace {

Bytes to_bytes(std::int64_t value) {
  ByteWriter writer;
  writer.put(value);
  return writer.take();
}

/// Tells this rank's slice whether it begins inside a quoted field.
void settle_quotes(comm::Communicator& node, const data::MappedFile& file, data::Slice& slice) {
  const auto counts = node.all_gather(to_bytes(data::count_quotes(file.text(), slice)));
  std::int64_t n_before = 0;
  for (int rank = 0; rank < node.rank(); ++rank) {
    n_before += ByteReader(counts[static_cast<std::size_t>(rank)]).get<std::int64_t>();
  }
  slice.starts_in_quotes = n_before % 2 != 0;
}

/// Where the parts of a table lie in one block of memory, each on a border of 64 bytes.
class Placement {
 public:
  Placement(const data::Layout& layout) : layout_(layout) {
    const std::size_t n_rows = layout.n_rows;
    for (std::size_t f = 0; f < layout.schema.n_features(); ++f) {
      columns_.push_back(place(n_rows * sizeof(float)));
    }
    target_ = place(layout.target_column >= 0 ? n_rows * sizeof(double) : 0);
    weight_ = place(layout.weight_column >= 0 ? n_rows * sizeof(double) : 0);
    fold_ = place(layout.fold_column >= 0 ? n_rows * sizeof(std::int32_t) : 0);
  }
  std::size_t n_bytes() const { return end_; }

  data::TableBuffers buffers(std::byte* memory) const {
    data::TableBuffers out;
    for (const auto at : columns_) out.columns.push_back(reinterpret_cast<float*>(memory + at));
    if (layout_.target_column >= 0) out.target = reinterpret_cast<double*>(memory + target_);
    if (layout_.weight_column >= 0) out.weight = reinterpret_cast<double*>(memory + weight_);
    if (layout_.fold_column >= 0) out.fold = reinterpret_cast<std::int32_t*>(memory + fold_);
    return out;
  }

 private:
  std::size_t place(std::size_t n_bytes) {
    const auto at = end_;
    end_ += (n_bytes + 63) / 64 * 64;
    return at;
  }
  const data::Layout& layout_;
  std::vector<std::size_t> columns_;
  std::size_t target_ = 0, weight_ = 0, fold_ = 0, end_ = 0;
};

data::Table view(const data::Layout& layout, const data::TableBuffers& buffers) {
  data::Table table;
  table.schema = layout.schema;
  table.n_rows = layout.n_rows;
  table.columns.assign(buffers.columns.begin(), buffers.columns.end());
  const std::size_t n_rows = layout.n_rows;
  if (buffers.target != nullptr) table.target = {buffers.target, n_rows};
  if (buffers.weight != nullptr) table.weight = {buffers.weight, n_rows};
  if (buffers.fold != nullptr) table.fold = {buffers.fold, n_rows};
  return table;
}

LoadedTable load_on_node(comm::Communicator& node, const std::string& path,
                         const data::ReadRequest& request) {
  std::unique_ptr<data::MappedFile> file;
  node.together([&] { file = std::make_unique<data::MappedFile>(path); });
  auto slice =
      data::cut_into_slices(file->text(), node.size())[static_cast<std::size_t>(node.rank())];
  settle_quotes(node, *file, slice);

  data::Survey own;
  node.together([&] { own = data::survey_slice(*file, slice, request); });
  data::Survey whole;
  std::int64_t first_row = 0;
  data::Layout layout;
  const auto surveys = node.all_gather(own.to_bytes());
  node.together([&] {
    for (int rank = 0; rank < node.size(); ++rank) {
      auto next = data::Survey::from_bytes(surveys[static_cast<std::size_t>(rank)]);
      if (rank < node.rank()) first_row += next.n_rows;
      if (rank == 0) {
        whole = std::move(next);
      } else {
        whole.merge(next);
      }
    }
    layout = data::conclude(*file, whole, request);
  });

  const Placement placement(layout);
  LoadedTable out;
  out.memory = node.allocate_shared(placement.n_bytes());
  const auto buffers = placement.buffers(out.memory.data);
  node.together([&] {
    data::read_slice(*file, slice, layout, request, static_cast<RowIndex>(first_row), buffers);
  });
  node.barrier();
  out.table = view(layout, buffers);
  Bytes digest_bytes;
  node.together([&] {
    if (node.rank() != 0) return;
    ByteWriter writer;
    writer.put(data::table_digest(out.table));
    digest_bytes = writer.take();
  });
  out.digest = ByteReader(node.broadcast(std::move(digest_bytes), 0)).get<Digest128>();
  return out;
}

}  // namespace

LoadedTable load_table(comm::Communicator& world, comm::Communicator& node, const std::string& path,
                       const data::ReadRequest& request) {
  LoadedTable out;
  world.together([&] { out = load_on_node(node, path, request); });
  ByteWriter writer;
  writer.put(out.digest);
  const auto digests = world.all_gather(writer.take());
  world.together([&] {
    for (std::size_t rank = 0; rank < digests.size(); ++rank) {
      if (!(ByteReader(digests[rank]).get<Digest128>() == out.digest)) {
        throw Error(ErrorKind::kData,
                    format("rank {} read other data than rank {}: the file changed while it was "
                           "read, or the nodes see different files",
                           world.rank(), rank),
                    path);
      }
    }
  });
  return out;
}

}  // namespace orchard::run
