#include "table_memory.hpp"

namespace orchard::run {

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

Digest128 shared_digest(comm::Communicator& node, const data::Table& table, parallel::Pool& pool) {
  const std::size_t n_blocks = data::n_digest_blocks(table);
  const auto part = [&](int rank) {
    return n_blocks * static_cast<std::size_t>(rank) / static_cast<std::size_t>(node.size());
  };
  ByteWriter writer;
  node.together([&] {
    writer.put(data::block_digests(table, part(node.rank()), part(node.rank() + 1), pool));
  });
  std::vector<Digest128> blocks;
  for (const auto& bytes : node.all_gather(writer.take())) {
    const auto some = ByteReader(bytes).get_vector<Digest128>();
    blocks.insert(blocks.end(), some.begin(), some.end());
  }
  return data::table_digest(table, blocks);
}

}  // namespace orchard::run
