#include "tree_arrays.hpp"

#include <algorithm>

#include "orchard/base/error.hpp"
#include "ragged.hpp"

namespace orchard::store {
namespace {

using model::Tree;

using model::PackedTree;

template <class T>
using Member = std::vector<T> Tree::*;
template <class T>
using Column = PackedTree::Column<T> PackedTree::*;

/// Borders of an array over all trees, of which a tree has `size(tree)` entries.
template <class Size>
std::vector<std::uint64_t> offsets_of(const TreeList& trees, Size size) {
  std::vector<std::uint64_t> offsets = {0};
  offsets.reserve(trees.size() + 1);
  for (const PackedTree* tree : trees) offsets.push_back(offsets.back() + size(*tree));
  return offsets;
}

std::uint64_t n_nodes(const PackedTree& tree) { return tree.n_nodes(); }
std::uint64_t n_stops(const PackedTree& tree) { return tree.stops.is_empty() ? 0 : tree.n_nodes(); }

/// An array with `n_values` over all trees, unpacked tree by tree.
template <class T>
void write_joined(h5::Builder& builder, const std::string& path, const TreeList& trees,
                  std::uint64_t n_values, Column<T> column) {
  std::vector<T> array;
  builder.write_joined<T>(path, n_values, trees.size(), [&](std::size_t i) {
    trees[i]->read(trees[i]->*column, array);
    return std::span<const T>(array);
  });
}

template <class T>
void write_joined(h5::Builder& builder, const std::string& path, const TreeList& trees,
                  std::uint64_t n_values, std::vector<T> PackedTree::*array) {
  builder.write_joined<T>(path, n_values, trees.size(),
                          [&](std::size_t i) { return std::span<const T>(trees[i]->*array); });
}

template <class T>
void read_joined(const h5::Reader& reader, const std::string& path,
                 const std::vector<std::uint64_t>& offsets, Member<T> member,
                 std::vector<Tree>& trees) {
  const auto joined = reader.read<T>(path, offsets.back());
  for (std::size_t i = 0; i < trees.size(); ++i) {
    (trees[i].*member)
        .assign(joined.begin() + static_cast<std::ptrdiff_t>(offsets[i]),
                joined.begin() + static_cast<std::ptrdiff_t>(offsets[i + 1]));
  }
}

/// The borders of the trees' parts in the dataset `values`.
std::vector<std::uint64_t> offsets_into(const h5::Reader& reader, const std::string& values,
                                        const std::string& path, std::size_t n_trees) {
  if (!reader.has(values)) reader.fail(values, "is absent");
  return read_offsets(reader, path, n_trees, reader.objects().at(values).n_values());
}

/// Whether the category arrays hold anything that the defaults (-1 and 0) do not say.
bool has_categories(const PackedTree& tree) {
  return !tree.category_words.empty() || tree.category_begin.says_something() ||
         tree.category_n_words.says_something();
}
bool has_categories(const Tree& tree) {
  return !tree.category_words.empty() ||
         std::any_of(tree.category_begin.begin(), tree.category_begin.end(),
                     [](std::int32_t begin) { return begin != -1; }) ||
         std::any_of(tree.category_n_words.begin(), tree.category_n_words.end(),
                     [](std::int32_t n_words) { return n_words != 0; });
}

/// The category arrays of all trees, with the defaults where a tree has none of its own.
void write_categories(h5::Builder& builder, const std::string& path, const TreeList& trees) {
  const auto words =
      offsets_of(trees, [](const PackedTree& tree) { return tree.category_words.size(); });
  builder.write(path + "/category_offsets", words);
  write_joined(builder, path + "/category_words", trees, words.back(), &PackedTree::category_words);
  const auto n_all_nodes = offsets_of(trees, n_nodes).back();
  const auto write = [&](const char* name, Column<std::int32_t> column) {
    std::vector<std::int32_t> array;
    builder.write_joined<std::int32_t>(path + name, n_all_nodes, trees.size(), [&](std::size_t i) {
      const PackedTree& tree = *trees[i];
      tree.read(tree.*column, array);
      array.resize(tree.n_nodes(), (tree.*column).usual);
      return std::span<const std::int32_t>(array);
    });
  };
  write("/category_begin", &PackedTree::category_begin);
  write("/category_n_words", &PackedTree::category_n_words);
}

void read_categories(const h5::Reader& reader, const std::string& path,
                     const std::vector<std::uint64_t>& node_offsets, std::vector<Tree>& trees) {
  if (!reader.has(path + "/category_words")) return;
  const auto word_offsets =
      offsets_into(reader, path + "/category_words", path + "/category_offsets", trees.size());
  read_joined(reader, path + "/category_words", word_offsets, &Tree::category_words, trees);
  read_joined(reader, path + "/category_begin", node_offsets, &Tree::category_begin, trees);
  read_joined(reader, path + "/category_n_words", node_offsets, &Tree::category_n_words, trees);
  for (Tree& tree : trees) {
    if (has_categories(tree)) continue;
    tree.category_begin = {};
    tree.category_n_words = {};
  }
}

}  // namespace

void write_trees(h5::Builder& builder, const std::string& path, const TreeList& trees) {
  const auto nodes = offsets_of(trees, n_nodes);
  const auto values = offsets_of(trees, [](const PackedTree& tree) { return tree.values.size(); });
  const auto stops = offsets_of(trees, n_stops);
  const auto write = [&](const char* name, auto member) {
    write_joined(builder, path + name, trees, nodes.back(), member);
  };
  builder.make_group(path);
  builder.write(path + "/node_offsets", nodes);
  builder.write(path + "/value_offsets", values);
  write("/feature", &PackedTree::feature);
  write("/threshold", &PackedTree::threshold);
  write("/left", &PackedTree::left);
  write("/flags", &PackedTree::flags);
  write("/value_row", &PackedTree::value_row);
  write("/n_samples", &PackedTree::n_samples);
  write("/gain", &PackedTree::gain);
  write_joined(builder, path + "/values", trees, values.back(), &PackedTree::values);
  if (std::any_of(trees.begin(), trees.end(), [](const auto* t) { return has_categories(*t); })) {
    write_categories(builder, path, trees);
  }
  if (stops.back() > 0) {
    builder.write(path + "/stop_offsets", stops);
    write_joined(builder, path + "/stops", trees, stops.back(), &PackedTree::stops);
  }
}

std::vector<Tree> read_trees(const h5::Reader& reader, const std::string& path) {
  const auto node_offsets = reader.read<std::uint64_t>(path + "/node_offsets");
  if (node_offsets.empty()) reader.fail(path + "/node_offsets", "is empty");
  const std::size_t n_trees = node_offsets.size() - 1;
  h5::check_offsets(reader, path + "/node_offsets", node_offsets, node_offsets.back());
  const auto value_offsets =
      offsets_into(reader, path + "/values", path + "/value_offsets", n_trees);
  std::vector<Tree> trees(n_trees);
  read_joined(reader, path + "/feature", node_offsets, &Tree::feature, trees);
  read_joined(reader, path + "/threshold", node_offsets, &Tree::threshold, trees);
  read_joined(reader, path + "/left", node_offsets, &Tree::left, trees);
  read_joined(reader, path + "/flags", node_offsets, &Tree::flags, trees);
  read_joined(reader, path + "/value_row", node_offsets, &Tree::value_row, trees);
  read_joined(reader, path + "/n_samples", node_offsets, &Tree::n_samples, trees);
  read_joined(reader, path + "/gain", node_offsets, &Tree::gain, trees);
  read_joined(reader, path + "/values", value_offsets, &Tree::values, trees);
  read_categories(reader, path, node_offsets, trees);
  if (reader.has(path + "/stops")) {
    const auto stop_offsets =
        offsets_into(reader, path + "/stops", path + "/stop_offsets", n_trees);
    read_joined(reader, path + "/stops", stop_offsets, &Tree::stops, trees);
  }
  return trees;
}

}  // namespace orchard::store
