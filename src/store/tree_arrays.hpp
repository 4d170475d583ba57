#pragma once
// The one way trees lie in our files: every array of a tree end to end over all trees, with the
// borders beside them. Private to this module.

#include <string>
#include <vector>

#include "orchard/h5/builder.hpp"
#include "orchard/h5/reader.hpp"
#include "orchard/model/packed_tree.hpp"

namespace orchard::store {

/// Packed trees of any origin, borrowed, in file order.
using TreeList = std::vector<const model::PackedTree*>;

/// Makes the group `path` with `node_offsets`, `value_offsets` and one dataset for each array.
/// Arrays that say nothing are left out: the category arrays when no tree splits by category, the
/// stops when no tree has any.
void write_trees(h5::Builder& builder, const std::string& path, const TreeList& trees);

/// What write_trees wrote. Throws kData unless all arrays are as long as the borders say; the trees
/// themselves are not validated.
std::vector<model::Tree> read_trees(const h5::Reader& reader, const std::string& path);

}  // namespace orchard::store
