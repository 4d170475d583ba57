#include "forest/impurity.hpp"

#include <algorithm>
#include <cmath>

#include "orchard/base/elementary.hpp"

namespace orchard::learn {
namespace {

constexpr double kOneOverLn2 = 1.4426950408889634;
constexpr std::size_t kTableSize = 4096;

}  // namespace

template <class Count, class Wide>
void ExactGini<Count, Wide>::start(std::span<const std::uint32_t> classes,
                                   std::span<const Count> counts) {
  n_ = classes.size();
  weight_ = 0;
  squares_ = 0;
  for (std::size_t id = 0; id < n_; ++id) {
    const auto count = static_cast<Wide>(counts[id]);
    node_[id] = counts[id];
    weight_ += static_cast<std::int64_t>(counts[id]);
    squares_ += count * count;
  }
}

template <class Count, class Wide>
void ExactGini<Count, Wide>::reset() {
  std::fill_n(left_.begin(), n_, Count{0});
  left_weight_ = 0;
  left_squares_ = 0;
  right_squares_ = squares_;
}

template <class Count, class Wide>
double ExactGini<Count, Wide>::decrease(double root_weight) const {
  const auto w = static_cast<double>(weight_), l = static_cast<double>(left_weight_);
  const auto r = static_cast<double>(weight_ - left_weight_);
  double squares = 0;
  for (std::size_t id = 0; id < n_; ++id) {
    const __int128 contrast = static_cast<__int128>(left_[id]) * weight_ -
                              static_cast<__int128>(node_[id]) * left_weight_;
    const double d = static_cast<double>(contrast) / w;
    squares += d * d;
  }
  return squares * (w / (l * r)) / root_weight;
}

template <class Count, class Wide>
std::int64_t ExactGini<Count, Wide>::fraction(std::size_t id) const {
  const __int128 numerator = (static_cast<__int128>(node_[id]) << kFractionBits) + weight_ / 2;
  return static_cast<std::int64_t>(numerator / weight_);
}

template <class Count>
WeightedImpurity<Count>::WeightedImpurity(const ForestPlan& plan)
    : is_entropy_(plan.settings.criterion == options::Criterion::kEntropy),
      factor_(plan.targets.n_classes),
      node_(plan.targets.n_classes),
      left_(node_),
      right_(node_) {
  if (!is_entropy_) return;
  for (std::size_t i = 0; i < kTableSize; ++i) {
    const auto x = static_cast<double>(i);
    table_.push_back(i == 0 ? 0.0 : x * exact_log(x));
  }
}

template <class Count>
void WeightedImpurity<Count>::start(std::span<const std::uint32_t> classes,
                                    std::span<const Count> counts) {
  n_ = classes.size();
  for (std::size_t id = 0; id < n_; ++id) {
    node_[id] = counts[id];
    factor_[id] = class_weight_.empty() ? 1.0 : class_weight_[classes[id]];
  }
}

template <class Count>
double WeightedImpurity<Count>::node_weight() const {
  double sum = 0;
  for (std::size_t id = 0; id < n_; ++id) sum += weighted(node_, id);
  return sum;
}

template <class Count>
void WeightedImpurity<Count>::reset() {
  std::fill_n(left_.begin(), n_, Count{0});
  std::copy_n(node_.begin(), n_, right_.begin());
}

template <class Count>
double WeightedImpurity<Count>::x_log_x(double x) const {
  if (x < static_cast<double>(kTableSize)) {
    const auto i = static_cast<std::size_t>(x);
    if (static_cast<double>(i) == x) return table_[i];
  }
  return x * exact_log(x);
}

template <class Count>
double WeightedImpurity<Count>::purity(const std::vector<Count>& counts) const {
  double sum = 0, terms = 0;
  for (std::size_t id = 0; id < n_; ++id) {
    const double x = weighted(counts, id);
    sum += x;
    terms += is_entropy_ ? x_log_x(x) : x * x;
  }
  return is_entropy_ ? terms - x_log_x(sum) : terms / sum;
}

template <class Count>
double WeightedImpurity<Count>::decrease(double root_weight) const {
  const double drop = std::max(0.0, score() - purity(node_));
  return (is_entropy_ ? drop * kOneOverLn2 : drop) / root_weight;
}

template <class Count>
std::int64_t WeightedImpurity<Count>::fraction(std::size_t id) const {
  return std::llround(std::ldexp(weighted(node_, id) / node_weight(), kFractionBits));
}

template class ExactGini<std::uint32_t, std::int64_t>;
template class ExactGini<std::int64_t, __int128>;
template class WeightedImpurity<std::uint32_t>;
template class WeightedImpurity<std::int64_t>;

}  // namespace orchard::learn
