#pragma once
// What fits are made of.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "orchard/model/packed_tree.hpp"

namespace orchard::model {

/// One finished step of a fit: a forest's tree, or one round of boosting (a tree per output). The
/// trees never change again, so copies share them: what is copied is ownership. They are held
/// packed; each look at one unpacks it.
class Unit {
 public:
  /// Over the trees, unpacked.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Tree;
    using difference_type = std::ptrdiff_t;
    using pointer = const Tree*;
    using reference = Tree;

    Iterator() = default;
    explicit Iterator(const PackedTree* tree) : tree_(tree) {}
    Tree operator*() const { return tree_->unpack(); }
    Iterator& operator++() {
      ++tree_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(tree_++); }
    bool operator==(const Iterator&) const = default;

   private:
    const PackedTree* tree_ = nullptr;
  };

  Unit() = default;
  explicit Unit(const std::vector<Tree>& trees)
      : trees_(std::make_shared<const std::vector<PackedTree>>(trees.begin(), trees.end())) {}
  static Unit of_packed(std::vector<PackedTree> trees) {
    Unit unit;
    unit.trees_ = std::make_shared<const std::vector<PackedTree>>(std::move(trees));
    return unit;
  }

  std::size_t size() const { return packed().size(); }
  Tree operator[](std::size_t i) const { return packed()[i].unpack(); }
  Iterator begin() const { return Iterator(packed().data()); }
  Iterator end() const { return Iterator(packed().data() + size()); }
  std::span<const PackedTree> packed() const {
    return trees_ == nullptr ? std::span<const PackedTree>() : *trees_;
  }
  bool operator==(const Unit& other) const {
    return std::equal(packed().begin(), packed().end(), other.packed().begin(),
                      other.packed().end());
  }

 private:
  std::shared_ptr<const std::vector<PackedTree>> trees_;
};

}  // namespace orchard::model
