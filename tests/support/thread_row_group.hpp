#pragma once
// Threads as the ranks of one fit.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "orchard/base/error.hpp"
#include "orchard/learn/row_group.hpp"

namespace orchard::testing_support {

/// What one rank sent in all.
struct Traffic {
  std::size_t n_calls = 0, n_bytes = 0;
};

/// Where the threads meet.
class RowGroupRoom {
 public:
  explicit RowGroupRoom(int size) : given_(static_cast<std::size_t>(size)) {}
  int size() const { return static_cast<int>(given_.size()); }

  /// Hands over `own` and calls `use` with what all gave.
  void exchange(int rank, const void* own,
                const std::function<void(const std::vector<const void*>&)>& use) {
    given_[static_cast<std::size_t>(rank)] = own;
    meet();
    use(given_);
    meet();
  }

 private:
  void meet() {
    std::unique_lock lock(mutex_);
    const auto round = round_;
    if (++n_here_ == given_.size()) {
      n_here_ = 0;
      ++round_;
      all_here_.notify_all();
      return;
    }
    const bool came =
        all_here_.wait_for(lock, std::chrono::minutes(2), [&] { return round_ != round; });
    require(came, "all ranks make the same calls");
  }

  std::vector<const void*> given_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::size_t n_here_ = 0, round_ = 0;
};

class ThreadRowGroup : public learn::RowGroup {
 public:
  ThreadRowGroup(RowGroupRoom& room, int rank) : room_(room), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return room_.size(); }
  void sum(std::span<std::int64_t> values) override {
    combine(values, 0, values.size(), [](std::int64_t a, std::int64_t b) { return a + b; });
  }
  void max(std::span<double> values) override {
    combine(values, 0, values.size(), [](double a, double b) { return std::max(a, b); });
  }
  void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) override {
    const auto rank = static_cast<std::size_t>(rank_);
    require(borders.size() == static_cast<std::size_t>(size()) + 1 && borders[0] == 0 &&
                borders.back() == values.size(),
            "the parts cover all values");
    combine(values, borders[rank], borders[rank + 1],
            [](std::int64_t a, std::int64_t b) { return a + b; });
  }
  std::vector<Bytes> all_gather(const Bytes& bytes) override {
    count(bytes.size());
    std::vector<Bytes> all;
    room_.exchange(rank_, &bytes, [&](const auto& given) {
      for (const void* of_rank : given) all.push_back(*static_cast<const Bytes*>(of_rank));
    });
    return all;
  }

  std::vector<Bytes> exchange(std::vector<Bytes> for_members) override {
    require(static_cast<int>(for_members.size()) == size(), "there is something for each rank");
    std::size_t n_bytes = 0;
    for (const Bytes& bytes : for_members) n_bytes += bytes.size();
    count(n_bytes);
    std::vector<Bytes> all;
    room_.exchange(rank_, &for_members, [&](const auto& given) {
      for (const void* of_rank : given) {
        const auto& theirs = *static_cast<const std::vector<Bytes>*>(of_rank);
        all.push_back(theirs[static_cast<std::size_t>(rank_)]);
      }
    });
    return all;
  }

  /// At this call every rank throws Stopped.
  void stop_at(std::size_t call) { stop_at_ = call; }
  const Traffic& traffic() const { return traffic_; }

 private:
  template <class T, class Combine>
  void combine(std::span<T> values, std::size_t begin, std::size_t end, Combine combine_two) {
    count(values.size_bytes());
    std::vector<T> result;
    room_.exchange(rank_, &values, [&](const auto& given) {
      for (const void* of_rank : given) {
        const auto& theirs = *static_cast<const std::span<T>*>(of_rank);
        require(theirs.size() == values.size(), "all ranks give as many values");
        const auto part = theirs.subspan(begin, end - begin);
        if (result.empty()) {
          result.assign(part.begin(), part.end());
        } else {
          std::transform(result.begin(), result.end(), part.begin(), result.begin(), combine_two);
        }
      }
    });
    std::copy(result.begin(), result.end(), values.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  void count(std::size_t n_bytes) {
    if (++traffic_.n_calls == stop_at_) throw Stopped();
    traffic_.n_bytes += n_bytes;
  }

  RowGroupRoom& room_;
  int rank_;
  std::size_t stop_at_ = 0;
  Traffic traffic_;
};

/// Runs body(group) on a thread for each of `size` ranks. The error of the lowest rank that throws
/// is thrown again.
inline void run_row_group(int size, const std::function<void(ThreadRowGroup&)>& body) {
  RowGroupRoom room(size);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRowGroup group(room, rank);
      try {
        body(group);
      } catch (...) {
        errors[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace orchard::testing_support
