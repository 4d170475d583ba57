#pragma once
// What fits are expected to take: time, memory, and the size of their trees. Pure functions of the
// settings and the shape of the data; a plan corrects them by what it measures.

#include <cstdint>

#include "orchard/search/family.hpp"

namespace orchard::search {

struct DataShape {
  std::uint64_t n_rows = 0, n_features = 0, n_classes = 0;
  Task task = Task::kClassification;
  bool is_weighted = false;
};

/// Seconds that one thread of a server of 2023 (4 GHz, AVX-512) needs for `n_units` trees, each of
/// every leaf size, or rounds on shape.n_rows training rows. Fitted, with errors weighed as ratios,
/// to fits of 10,000 to 500,000 rows, 9 to 500 features, 1 to 26 outputs, depths 4 to unlimited and
/// 7 to 255 leaves: off by less than a factor of 2 alone, and of 1.5 for most. Comparable between
/// learners: tasks are handed out by it, longest first.
double estimate_cost(const Family& family, std::int64_t n_units, const DataShape& shape);

/// How many times faster a fit is on so many threads than on one.
double thread_speedup(const Family& family, int n_threads);

/// Seconds that ranks of a group which grows so many units by rows spend on what one rank need not
/// do, however many they are: boosting exchanges sums at every split, forests send rows. On a node,
/// or over a network as fast.
double exchange_seconds(const Family& family, std::int64_t n_units, const DataShape& shape);

/// Leaves of a tree (in forests of the least leaf size), as noisy data make them.
double expected_leaves(const Family& family, const DataShape& shape);
/// Nodes of all trees that come of one of `n_units`.
double expected_nodes(const Family& family, const DataShape& shape);

/// Trees that come of one of `n_units`: one a leaf size in forests, one an output in boosting.
std::int64_t trees_a_unit(const Family& family, const DataShape& shape);

/// Bytes of a node in a model file; `n_cuts` > 1: in a checkpoint, with the cuts that stop there.
double bytes_a_node(const Family& family, const DataShape& shape, std::size_t n_cuts);

/// Bytes of the trees of so many units in a file; `n_cuts` as in `bytes_a_node`.
std::uint64_t tree_bytes(const Family& family, std::int64_t n_units, const DataShape& shape,
                         std::size_t n_cuts);

/// Bytes of the same trees as ranks hold and send them, packed.
std::uint64_t held_bytes(const Family& family, std::int64_t n_units, const DataShape& shape,
                         std::size_t n_cuts);

/// What a rank holds for itself while it grows `n_units` units of the family on shape.n_rows
/// training rows and predicts `n_test` rows: rows under way, histograms, predictions, trees. Not
/// the binned data. `n_ranks`: of the group that grows the fit by rows.
std::uint64_t working_bytes(const Family& family, std::int64_t n_units, const DataShape& shape,
                            std::uint64_t n_test, int n_threads, int n_ranks = 1);

}  // namespace orchard::search
