#include "boosting/histogram_kernel.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "boosting/rows.hpp"

namespace orchard::learn::boosting {
namespace {

// Rows of a node lie scattered: measured, fetching them ahead is worth a factor of three.
constexpr std::size_t kPrefetch = 16;

/// kQuads * 4 features, then the few that are left. Consecutive rows need no list to be found, but
/// to be fetched ahead all the same: measured, worth a sixth.
template <std::size_t kQuads, bool kIsRange>
void add_packed_quads(const BinRows& bins, const std::uint64_t* words,
                      std::span<const RowIndex> rows, std::uint64_t* packed) {
  const RowIndex* const list = rows.data();
  const std::size_t first = list[0], last = rows.size() - 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t ahead =
        kIsRange ? first + i + 2 * kPrefetch : list[std::min(i + kPrefetch, last)];
    const std::size_t at_row = kIsRange ? first + i : list[i];
    __builtin_prefetch(bins.bins + ahead * bins.stride);
    __builtin_prefetch(words + ahead);
    const Bin* const row = bins.bins + at_row * bins.stride;
    const std::uint64_t word = words[at_row];
    for (std::size_t quad = 0; quad < kQuads; ++quad) {
      std::uint32_t four;
      std::memcpy(&four, row + quad * 4, 4);
      std::uint64_t* const at = packed + quad * 4 * kPackedStride;
      at[static_cast<Bin>(four)] += word;
      at[kPackedStride + static_cast<Bin>(four >> 8)] += word;
      at[2 * kPackedStride + static_cast<Bin>(four >> 16)] += word;
      at[3 * kPackedStride + static_cast<Bin>(four >> 24)] += word;
    }
    for (std::size_t f = kQuads * 4; f < bins.n_features; ++f) {
      packed[f * kPackedStride + row[f]] += word;
    }
  }
}

using Kernel = void (*)(const BinRows&, const std::uint64_t*, std::span<const RowIndex>,
                        std::uint64_t*);
template <bool kIsRange, std::size_t... kQuads>
constexpr auto make_kernels(std::index_sequence<kQuads...>) {
  return std::array<Kernel, sizeof...(kQuads)>{add_packed_quads<kQuads, kIsRange>...};
}
constexpr auto kOfList = make_kernels<false>(std::make_index_sequence<kMaxTile / 4 + 1>());
constexpr auto kOfRange = make_kernels<true>(std::make_index_sequence<kMaxTile / 4 + 1>());

bool is_range(std::span<const RowIndex> rows) {
  if (rows.back() - rows.front() + 1 != rows.size()) return false;
  // A node that was parted twice has its rows in no order.
  std::size_t n_strays = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) n_strays += rows[i] != rows.front() + i;
  return n_strays == 0;
}

}  // namespace

void add_packed_rows(const BinRows& bins, const std::uint64_t* words,
                     std::span<const RowIndex> rows, std::uint64_t* packed) {
  if (rows.empty()) return;
  (is_range(rows) ? kOfRange : kOfList)[bins.n_features / 4](bins, words, rows, packed);
}

void add_wide_rows(const BinRows& bins, const Sums* sums, std::span<const RowIndex> rows,
                   const std::uint32_t* offsets, Sums* slots) {
  const RowIndex* const list = rows.data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t ahead = list[std::min(i + kPrefetch, rows.size() - 1)];
    __builtin_prefetch(bins.bins + ahead * bins.stride);
    __builtin_prefetch(sums + ahead);
    const Bin* const row = bins.bins + list[i] * bins.stride;
    const Sums sum = sums[list[i]];
    for (std::size_t f = 0; f < bins.n_features; ++f) slots[offsets[f] + row[f]] += sum;
  }
}

}  // namespace orchard::learn::boosting
