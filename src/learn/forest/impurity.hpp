#pragma once
// Judges of a split between any number of classes. A judge holds the class counts at both sides of
// a split that moves from left to right through a node. Classes are numbered among those present in
// the node, ascending.

#include <span>
#include <vector>

#include "forest/plan.hpp"

namespace orchard::learn {

/// Gini by exact sums of squares. Count holds a class count, Wide the square of a node's count.
template <class Count, class Wide>
class ExactGini {
 public:
  explicit ExactGini(const ForestPlan& plan) : node_(plan.targets.n_classes), left_(node_) {}

  void start_tree(const std::vector<double>&) {}
  /// `classes[i]` has `counts[i]`.
  void start(std::span<const std::uint32_t> classes, std::span<const Count> counts);
  double node_weight() const { return static_cast<double>(weight_); }

  void reset();
  void move(std::size_t id, Count count) {
    const auto c = static_cast<Wide>(count);
    const auto left = static_cast<Wide>(left_[id]);
    const auto right = static_cast<Wide>(node_[id]) - left;
    left_squares_ += c * (2 * left + c);
    right_squares_ -= c * (2 * right - c);
    left_[id] += count;
    left_weight_ += static_cast<std::int64_t>(count);
  }
  double score() const {
    return static_cast<double>(left_squares_) / static_cast<double>(left_weight_) +
           static_cast<double>(right_squares_) / static_cast<double>(weight_ - left_weight_);
  }
  /// (node / root weight) x impurity decrease of the present position.
  double decrease(double root_weight) const;
  /// Share of class id in the node, with kFractionBits.
  std::int64_t fraction(std::size_t id) const;

 private:
  std::vector<Count> node_, left_;
  std::size_t n_ = 0;
  std::int64_t weight_ = 0, left_weight_ = 0;
  Wide squares_ = 0, left_squares_ = 0, right_squares_ = 0;
};

/// Gini with class weights, and entropy: counts are exact, the impurity is one double expression
/// over the classes in order.
template <class Count>
class WeightedImpurity {
 public:
  explicit WeightedImpurity(const ForestPlan& plan);

  /// Factors of all classes; empty: 1.
  void start_tree(const std::vector<double>& class_weight) { class_weight_ = class_weight; }
  void start(std::span<const std::uint32_t> classes, std::span<const Count> counts);
  double node_weight() const;

  void reset();
  void move(std::size_t id, Count count) {
    left_[id] += count;
    right_[id] -= count;
  }
  double score() const { return purity(left_) + purity(right_); }
  double decrease(double root_weight) const;
  std::int64_t fraction(std::size_t id) const;

 private:
  double x_log_x(double x) const;
  double weighted(const std::vector<Count>& counts, std::size_t id) const {
    return static_cast<double>(counts[id]) * factor_[id];
  }
  /// Weight x (constant - impurity) of one side, in nats for entropy.
  double purity(const std::vector<Count>& counts) const;

  bool is_entropy_;
  std::vector<double> class_weight_;
  std::vector<double> table_;  ///< x log x of small integers
  std::vector<double> factor_;
  std::vector<Count> node_, left_, right_;
  std::size_t n_ = 0;
};

extern template class ExactGini<std::uint32_t, std::int64_t>;
extern template class ExactGini<std::int64_t, __int128>;
extern template class WeightedImpurity<std::uint32_t>;
extern template class WeightedImpurity<std::int64_t>;

}  // namespace orchard::learn
