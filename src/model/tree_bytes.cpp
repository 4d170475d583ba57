#include "orchard/model/tree_bytes.hpp"

namespace orchard::model {

void put_tree(ByteWriter& out, const Tree& tree) {
  out.put(tree.feature);
  out.put(tree.threshold);
  out.put(tree.left);
  out.put(tree.flags);
  out.put(tree.value_row);
  out.put(tree.n_samples);
  out.put(tree.gain);
  out.put(tree.category_begin);
  out.put(tree.category_n_words);
  out.put(tree.category_words);
  out.put(tree.values);
  out.put(tree.stops);
}

Tree get_tree(ByteReader& in) {
  Tree tree;
  tree.feature = in.get_vector<std::int32_t>();
  tree.threshold = in.get_vector<float>();
  tree.left = in.get_vector<NodeIndex>();
  tree.flags = in.get_vector<std::uint8_t>();
  tree.value_row = in.get_vector<std::int32_t>();
  tree.n_samples = in.get_vector<std::uint32_t>();
  tree.gain = in.get_vector<double>();
  tree.category_begin = in.get_vector<std::int32_t>();
  tree.category_n_words = in.get_vector<std::int32_t>();
  tree.category_words = in.get_vector<std::uint32_t>();
  tree.values = in.get_vector<std::int64_t>();
  tree.stops = in.get_vector<std::uint64_t>();
  return tree;
}

}  // namespace orchard::model
