#pragma once
// A tree in a message between ranks.

#include "orchard/base/bytes.hpp"
#include "orchard/model/tree.hpp"

namespace orchard::model {

void put_tree(ByteWriter& out, const Tree& tree);
/// So many bytes it writes. A message that grows would at times be there twice, and trees may be
/// most of the memory: who writes many makes room first.
std::size_t packed_bytes(const Tree& tree);
/// What put_tree wrote; not validated. Throws kInternal past the end.
Tree get_tree(ByteReader& in);

}  // namespace orchard::model
