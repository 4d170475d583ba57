#pragma once
// What a fit had to touch, counted from its trees: so that seconds can be set against the memory.

#include <vector>

#include "orchard/model/tree.hpp"

namespace orchard::bench {

/// Sums over the trees of a fit.
struct WorkCount {
  double n_nodes = 0;
  double split_rows = 0;    ///< rows of all nodes that were split
  double counted_rows = 0;  ///< rows put into histograms when each split counts its smaller child
};
WorkCount count_work(const std::vector<model::Tree>& trees);

/// Bytes that histogram boosting must move at least: a row of bins (padded to 32), 8 bytes of
/// gradient and 4 of row number for each counted row; a bin, and a row number read and written, for
/// each row of a split; score, target and gradient of each row once a tree.
double boosting_bytes(const WorkCount& work, double n_rows, double n_trees, double n_features);

/// Bytes that a forest must move at least, if it moves rows: one byte a feature and a word of
/// weight and target, read and written, for each row of a split.
double forest_bytes(const WorkCount& work, double n_features);

/// GB/s at which `n_threads` threads read memory that no cache holds: best of five.
double read_bandwidth(int n_threads);

}  // namespace orchard::bench
