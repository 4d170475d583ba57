#pragma once
// A tree in a message between ranks.

#include "orchard/base/bytes.hpp"
#include "orchard/model/tree.hpp"

namespace orchard::model {

void put_tree(ByteWriter& out, const Tree& tree);
/// What put_tree wrote; not validated. Throws kInternal past the end.
Tree get_tree(ByteReader& in);

}  // namespace orchard::model
