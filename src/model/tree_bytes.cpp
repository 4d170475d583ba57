#include "orchard/model/tree_bytes.hpp"

#include <type_traits>

namespace orchard::model {
namespace {

/// Calls visit(array) for all of a tree, in the order of the message.
template <class AnyTree, class Visit>
void for_each_array(AnyTree& tree, Visit visit) {
  visit(tree.feature);
  visit(tree.threshold);
  visit(tree.left);
  visit(tree.flags);
  visit(tree.value_row);
  visit(tree.n_samples);
  visit(tree.gain);
  visit(tree.category_begin);
  visit(tree.category_n_words);
  visit(tree.category_words);
  visit(tree.values);
  visit(tree.stops);
}

}  // namespace

std::size_t packed_bytes(const Tree& tree) {
  std::size_t n_bytes = 0;
  for_each_array(tree, [&](const auto& array) {
    n_bytes += sizeof(std::uint64_t) + array.size() * sizeof(array[0]);
  });
  return n_bytes;
}

void put_tree(ByteWriter& out, const Tree& tree) {
  for_each_array(tree, [&](const auto& array) { out.put(array); });
}

Tree get_tree(ByteReader& in) {
  Tree tree;
  for_each_array(tree, [&](auto& array) {
    array = in.get_vector<typename std::remove_reference_t<decltype(array)>::value_type>();
  });
  return tree;
}

}  // namespace orchard::model
