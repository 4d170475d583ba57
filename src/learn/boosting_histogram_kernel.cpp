#include "boosting_histogram_kernel.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "boosting_rows.hpp"

namespace orchard::learn::boosting {
namespace {

// Rows of a node lie scattered: measured, fetching them ahead is worth a factor of three.
constexpr std::size_t kPrefetch = 16;
static_assert(kPrefetch <= kReadAhead);

/// kQuads * 4 features, then the few that are left.
template <std::size_t kQuads>
void add_packed_quads(const BinRows& bins, const std::uint64_t* words,
                      std::span<const RowIndex> rows, std::uint64_t* packed) {
  const RowIndex* const list = rows.data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t ahead = list[i + kPrefetch];
    __builtin_prefetch(bins.bins + ahead * bins.stride);
    __builtin_prefetch(words + ahead);
    const Bin* const row = bins.bins + list[i] * bins.stride;
    const std::uint64_t word = words[list[i]];
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
template <std::size_t... kQuads>
constexpr auto make_kernels(std::index_sequence<kQuads...>) {
  return std::array<Kernel, sizeof...(kQuads)>{add_packed_quads<kQuads>...};
}
constexpr auto kKernels = make_kernels(std::make_index_sequence<kMaxTile / 4 + 1>());

}  // namespace

void add_packed_rows(const BinRows& bins, const std::uint64_t* words,
                     std::span<const RowIndex> rows, std::uint64_t* packed) {
  kKernels[bins.n_features / 4](bins, words, rows, packed);
}

void add_wide_rows(const BinRows& bins, const Sums* sums, std::span<const RowIndex> rows,
                   const std::uint32_t* offsets, Sums* slots) {
  const RowIndex* const list = rows.data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t ahead = list[i + kPrefetch];
    __builtin_prefetch(bins.bins + ahead * bins.stride);
    __builtin_prefetch(sums + ahead);
    const Bin* const row = bins.bins + list[i] * bins.stride;
    const Sums sum = sums[list[i]];
    for (std::size_t f = 0; f < bins.n_features; ++f) slots[offsets[f] + row[f]] += sum;
  }
}

void flush(std::span<std::uint64_t> packed, Sums* out, bool is_first) {
  if (is_first) {
    for (std::size_t i = 0; i < packed.size(); ++i) out[i] = unpack(packed[i]);
  } else {
    for (std::size_t i = 0; i < packed.size(); ++i) out[i] += unpack(packed[i]);
  }
  std::memset(packed.data(), 0, packed.size() * sizeof packed[0]);
}

}  // namespace orchard::learn::boosting
