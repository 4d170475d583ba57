#include "peers.hpp"

#include <algorithm>

namespace orchard::learn {

std::vector<std::int64_t> Peers::gather_items(std::span<const std::int64_t> own, std::size_t begin,
                                              std::size_t n_items) const {
  ByteWriter writer;
  writer.put<std::uint64_t>(begin);
  writer.put(std::vector<std::int64_t>(own.begin(), own.end()));
  std::vector<std::int64_t> all(n_items);
  std::size_t n_found = 0;
  for (const Bytes& bytes : all_gather(writer.bytes())) {
    ByteReader reader(bytes);
    const auto at = reader.get<std::uint64_t>();
    const auto items = reader.get_vector<std::int64_t>();
    require(at <= n_items && items.size() <= n_items - at, "a share lies within the fold");
    std::copy(items.begin(), items.end(), all.begin() + static_cast<std::ptrdiff_t>(at));
    n_found += items.size();
  }
  require(n_found == n_items, "the shares of a group make up the fold");
  return all;
}

}  // namespace orchard::learn
