#include "work_count.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include "orchard/base/clock.hpp"

namespace orchard::bench {

WorkCount count_work(const std::vector<model::Tree>& trees) {
  WorkCount out;
  for (const auto& tree : trees) {
    out.n_nodes += static_cast<double>(tree.n_nodes());
    if (tree.n_samples.empty()) continue;
    out.counted_rows += tree.n_samples[0];
    for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
      if (tree.left[node] < 0) continue;
      const auto left = static_cast<std::size_t>(tree.left[node]);
      out.split_rows += tree.n_samples[node];
      out.counted_rows += std::min(tree.n_samples[left], tree.n_samples[left + 1]);
    }
  }
  return out;
}

double boosting_bytes(const WorkCount& work, double n_rows, double n_trees, double n_features) {
  const double row_bytes = std::ceil(n_features / 32) * 32;
  return work.counted_rows * (row_bytes + 8 + 4) + work.split_rows * (1 + 4 + 4) +
         n_rows * n_trees * (8 + 8 + 8);
}

double forest_bytes(const WorkCount& work, double n_features) {
  return work.split_rows * 2 * (n_features + 1);
}

double read_bandwidth(int n_threads) {
  const std::size_t n_words = std::size_t{1} << 26;  // 512 MB
  const std::vector<std::uint64_t> words(n_words, 1);
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(n_threads));
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const double start = monotonic_s();
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < sums.size(); ++t) {
      threads.emplace_back([&, t] {
        std::uint64_t sum = 0;
        for (std::size_t i = n_words * t / sums.size(); i < n_words * (t + 1) / sums.size(); ++i) {
          sum += words[i];
        }
        sums[t] = sum;
      });
    }
    for (auto& thread : threads) thread.join();
    const double gb = static_cast<double>(n_words * sizeof(std::uint64_t)) / 1e9;
    best = std::max(best, gb / (monotonic_s() - start));
  }
  // A sum that nobody reads would not be computed.
  return sums[0] == 0 ? 0 : best;
}

}  // namespace orchard::bench
