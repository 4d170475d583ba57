#include "forest/group/node_search.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "forest/search_kind.hpp"

namespace orchard::learn::group {
namespace {

/// What the searches have in common. `Search` is one of PairSearch and ClassSearch.
template <class Search>
class SearchOfPlan : public NodeSearch {
 public:
  explicit SearchOfPlan(const ForestPlan& plan) : plan_(plan), search_(plan) {}

  bool is_pure() const override { return search_.is_pure(); }
  double node_weight() const override { return search_.node_weight(); }
  void write_value(std::span<std::int64_t> out) const override { search_.write_value(out); }

 protected:
  using Row = typename Search::Row;

  Row row(const OwnRows& rows, std::size_t i) const {
    return search_.make_row(rows.positions[i], rows.multiplicity[i]);
  }

  const ForestPlan& plan_;
  Search search_;
};

template <class Search>
class SearchOf;

/// Sums: rows, weight, sum, least and greatest target.
template <class Kind>
class SearchOf<PairSearch<Kind>> final : public SearchOfPlan<PairSearch<Kind>> {
  using Base = SearchOfPlan<PairSearch<Kind>>;
  using Base::search_;

 public:
  using Base::Base;

  NodeSums no_sums() const override {
    return {0, 0, 0, std::numeric_limits<std::int64_t>::max(),
            std::numeric_limits<std::int64_t>::min()};
  }
  NodeSums sum(const OwnRows& rows) const override {
    NodeSums sums = no_sums();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = this->row(rows, i);
      const Pair pair = pair_of(row);
      const std::int64_t target = target_of(row);
      sums[0] += 1;
      sums[1] += pair.weight;
      sums[2] += pair.sum;
      sums[3] = std::min(sums[3], target);
      sums[4] = std::max(sums[4], target);
    }
    return sums;
  }
  void add_sums(std::span<const std::int64_t> other, NodeSums& sums) const override {
    for (std::size_t i = 0; i < 3; ++i) sums[i] += other[i];
    sums[3] = std::min(sums[3], other[3]);
    sums[4] = std::max(sums[4], other[4]);
  }
  std::int64_t weight(const NodeSums& sums) const override { return sums[1]; }

  std::size_t n_bin_words() const override { return 3; }
  void add_rows(const OwnRows& rows, FeatureIndex feature,
                std::span<std::int64_t> bins) const override {
    const Bin* column = this->plan_.context.data.column(feature);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Pair pair = pair_of(this->row(rows, i));
      std::int64_t* const words = bins.data() + std::size_t{3} * column[rows.positions[i]];
      words[0] += 1;
      words[1] += pair.weight;
      words[2] += pair.sum;
    }
  }

  void start_node(const NodeSums& sums, const std::vector<double>&) override {
    n_rows_ = static_cast<std::uint32_t>(sums[0]);
    search_.start_node({sums[1], sums[2]}, sums[3] == sums[4], sums[3]);
  }
  NodeSearch::Found search(FeatureIndex feature, std::span<const std::int64_t> bins,
                           std::uint32_t n_leaf_rows) override {
    const bool is_varied = search_.try_feature(feature, n_rows_, n_leaf_rows, [&](int bin) {
      const std::int64_t* words = bins.data() + 3 * bin;
      return std::pair(words[0], Pair{words[1], words[2]});
    });
    return {is_varied, search_.take_split()};
  }
  double decrease(const NodeSums& left, double root_weight) override {
    return search_.decrease(Pair{left[1], left[2]}, root_weight);
  }

 private:
  using Row = typename PairSearch<Kind>::Row;

  Pair pair_of(const Row& row) const {
    typename Kind::Cell cell{};
    search_.kind().add(cell, row);
    return Kind::pair(cell);
  }
  static std::int64_t target_of(const Row& row) {
    if constexpr (Kind::kIsClassification) {
      return static_cast<std::int64_t>(row.label);
    } else {
      return row.value;
    }
  }

  std::uint32_t n_rows_ = 0;
};

/// Sums: rows, and the weight of each class.
template <class Count, class Judge>
class SearchOf<ClassSearch<Count, Judge>> final : public SearchOfPlan<ClassSearch<Count, Judge>> {
  using Base = SearchOfPlan<ClassSearch<Count, Judge>>;
  using Base::search_;

 public:
  using Base::Base;

  NodeSums no_sums() const override { return NodeSums(n_bin_words()); }
  NodeSums sum(const OwnRows& rows) const override {
    NodeSums sums = no_sums();
    for (std::size_t i = 0; i < rows.size(); ++i) add(rows, i, sums.data());
    return sums;
  }
  void add_sums(std::span<const std::int64_t> other, NodeSums& sums) const override {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += other[i];
  }
  std::int64_t weight(const NodeSums& sums) const override {
    std::int64_t weight = 0;
    for (const auto of_class : counts(sums)) weight += of_class;
    return weight;
  }

  std::size_t n_bin_words() const override { return 1 + this->plan_.targets.n_classes; }
  void add_rows(const OwnRows& rows, FeatureIndex feature,
                std::span<std::int64_t> bins) const override {
    const Bin* column = this->plan_.context.data.column(feature);
    const std::size_t n_words = n_bin_words();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      add(rows, i, bins.data() + n_words * column[rows.positions[i]]);
    }
  }

  void start_node(const NodeSums& sums, const std::vector<double>& class_weight) override {
    n_rows_ = static_cast<std::uint32_t>(sums[0]);
    search_.start_tree(class_weight);
    search_.start_node(counts(sums));
  }
  NodeSearch::Found search(FeatureIndex feature, std::span<const std::int64_t> bins,
                           std::uint32_t n_leaf_rows) override {
    const std::size_t n_words = n_bin_words();
    const bool is_varied = search_.try_feature(feature, n_rows_, n_leaf_rows, [&](int bin) {
      const std::int64_t* words = bins.data() + n_words * static_cast<std::size_t>(bin);
      return std::pair(words[0], words + 1);
    });
    return {is_varied, search_.take_split()};
  }
  double decrease(const NodeSums& left, double root_weight) override {
    return search_.decrease(counts(left), root_weight);
  }

 private:
  static std::span<const std::int64_t> counts(const NodeSums& sums) {
    return std::span(sums).subspan(1);
  }
  void add(const OwnRows& rows, std::size_t i, std::int64_t* words) const {
    const auto row = this->row(rows, i);
    words[0] += 1;
    words[1 + row.label] += static_cast<std::int64_t>(row.weight);
  }

  std::uint32_t n_rows_ = 0;
};

}  // namespace

std::unique_ptr<NodeSearch> make_node_search(const ForestPlan& plan) {
  return with_search_kind(plan, [&]<class Search>() -> std::unique_ptr<NodeSearch> {
    return std::make_unique<SearchOf<Search>>(plan);
  });
}

}  // namespace orchard::learn::group
