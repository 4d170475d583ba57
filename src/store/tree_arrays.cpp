#include "tree_arrays.hpp"

#include <algorithm>

#include "orchard/base/error.hpp"
#include "ragged.hpp"

namespace orchard::store {
namespace {

using model::Tree;

template <class T>
using Member = std::vector<T> Tree::*;

/// Borders of one array over all trees.
template <class T>
std::vector<std::uint64_t> offsets_of(const TreeList& trees, Member<T> member) {
  std::vector<std::uint64_t> offsets = {0};
  offsets.reserve(trees.size() + 1);
  for (const Tree* tree : trees) offsets.push_back(offsets.back() + (tree->*member).size());
  return offsets;
}

template <class T>
void write_joined(h5::Builder& builder, const std::string& path, const TreeList& trees,
                  Member<T> member) {
  std::vector<std::span<const T>> arrays;
  arrays.reserve(trees.size());
  for (const Tree* tree : trees) arrays.emplace_back(tree->*member);
  builder.write_joined<T>(path, arrays);
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

void require_whole(const Tree& tree) {
  const std::size_t n = tree.n_nodes();
  require(tree.threshold.size() == n && tree.left.size() == n && tree.flags.size() == n &&
              tree.value_row.size() == n && tree.n_samples.size() == n && tree.gain.size() == n &&
              (tree.category_begin.empty() || tree.category_begin.size() == n) &&
              tree.category_n_words.size() == tree.category_begin.size(),
          "every array of a tree has an entry for each node");
}

/// Whether the category arrays hold anything that the defaults (-1 and 0) do not say.
bool has_categories(const Tree& tree) {
  return !tree.category_words.empty() ||
         std::any_of(tree.category_begin.begin(), tree.category_begin.end(),
                     [](std::int32_t begin) { return begin != -1; }) ||
         std::any_of(tree.category_n_words.begin(), tree.category_n_words.end(),
                     [](std::int32_t n_words) { return n_words != 0; });
}

/// The category arrays of all trees, with the defaults where a tree has none of its own.
void write_categories(h5::Builder& builder, const std::string& path, const TreeList& trees) {
  builder.write(path + "/category_offsets", offsets_of(trees, &Tree::category_words));
  write_joined(builder, path + "/category_words", trees, &Tree::category_words);
  const auto write = [&](const char* name, Member<std::int32_t> member, std::int32_t value) {
    std::vector<std::int32_t> joined;
    for (const Tree* tree : trees) {
      const auto& own = tree->*member;
      joined.insert(joined.end(), own.begin(), own.end());
      joined.resize(joined.size() + tree->n_nodes() - own.size(), value);
    }
    builder.write(path + name, joined);
  };
  write("/category_begin", &Tree::category_begin, -1);
  write("/category_n_words", &Tree::category_n_words, 0);
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
  for (const Tree* tree : trees) require_whole(*tree);
  builder.make_group(path);
  builder.write(path + "/node_offsets", offsets_of(trees, &Tree::feature));
  builder.write(path + "/value_offsets", offsets_of(trees, &Tree::values));
  write_joined(builder, path + "/feature", trees, &Tree::feature);
  write_joined(builder, path + "/threshold", trees, &Tree::threshold);
  write_joined(builder, path + "/left", trees, &Tree::left);
  write_joined(builder, path + "/flags", trees, &Tree::flags);
  write_joined(builder, path + "/value_row", trees, &Tree::value_row);
  write_joined(builder, path + "/n_samples", trees, &Tree::n_samples);
  write_joined(builder, path + "/gain", trees, &Tree::gain);
  write_joined(builder, path + "/values", trees, &Tree::values);
  if (std::any_of(trees.begin(), trees.end(), [](const Tree* t) { return has_categories(*t); })) {
    write_categories(builder, path, trees);
  }
  if (std::any_of(trees.begin(), trees.end(), [](const Tree* t) { return !t->stops.empty(); })) {
    builder.write(path + "/stop_offsets", offsets_of(trees, &Tree::stops));
    write_joined(builder, path + "/stops", trees, &Tree::stops);
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
