#include "group_reducer.hpp"

#include <algorithm>

#include "orchard/base/error.hpp"

namespace orchard::run {

void GroupReducer::obey(bool is_stopped) {
  if (is_stopped) throw Stopped();
}

void GroupReducer::sum(std::span<std::int64_t> values) {
  integers_.assign(values.begin(), values.end());
  integers_.push_back(own_word());
  group_.sum(integers_);
  n_bytes_ += values.size_bytes();
  obey(integers_.back() != 0);
  std::copy_n(integers_.begin(), values.size(), values.begin());
}

void GroupReducer::max(std::span<double> values) {
  numbers_.assign(values.begin(), values.end());
  numbers_.push_back(static_cast<double>(own_word()));
  group_.max(numbers_);
  n_bytes_ += values.size_bytes();
  obey(numbers_.back() != 0);
  std::copy_n(numbers_.begin(), values.size(), values.begin());
}

// The word stands at the end of every part, so that every rank gets it with its own.
void GroupReducer::sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) {
  const auto n_ranks = static_cast<std::size_t>(size());
  const auto own = static_cast<std::size_t>(rank());
  borders_.assign(1, 0);
  integers_.resize(values.size() + n_ranks);
  for (std::size_t part = 0; part < n_ranks; ++part) {
    const auto n = borders[part + 1] - borders[part];
    const auto to = integers_.begin() + static_cast<std::ptrdiff_t>(borders_.back());
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(borders[part]), n, to);
    to[static_cast<std::ptrdiff_t>(n)] = own_word();
    borders_.push_back(borders_.back() + n + 1);
    if (part != own) n_bytes_ += n * sizeof(std::int64_t);
  }
  group_.sum_parts(integers_, borders_);
  obey(integers_[borders_[own + 1] - 1] != 0);
  std::copy_n(integers_.begin() + static_cast<std::ptrdiff_t>(borders_[own]),
              borders[own + 1] - borders[own],
              values.begin() + static_cast<std::ptrdiff_t>(borders[own]));
}

std::vector<Bytes> GroupReducer::exchange(std::vector<Bytes> for_members) {
  for (int member = 0; member < size(); ++member) {
    Bytes& bytes = for_members[static_cast<std::size_t>(member)];
    if (member != rank()) n_bytes_ += bytes.size();
    bytes.push_back(static_cast<std::byte>(own_word()));
  }
  auto parts = group_.exchange(std::move(for_members));
  obey(parts.front().back() != std::byte{0});
  for (auto& part : parts) part.pop_back();
  return parts;
}

std::vector<Bytes> GroupReducer::all_gather(const Bytes& bytes) {
  Bytes with_word = bytes;
  with_word.push_back(static_cast<std::byte>(own_word()));
  auto parts = group_.all_gather(with_word);
  n_bytes_ += bytes.size() * static_cast<std::size_t>(size() - 1);
  obey(parts.front().back() != std::byte{0});
  for (auto& part : parts) part.pop_back();
  return parts;
}

bool GroupReducer::meet(bool leader_leaves) {
  std::int64_t leaves = rank() == 0 && leader_leaves ? 1 : 0;
  sum(std::span(&leaves, 1));
  return leaves != 0;
}

}  // namespace orchard::run
