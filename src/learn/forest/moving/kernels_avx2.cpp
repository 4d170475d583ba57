// Parting and moving rows, 16 and 32 bytes at a time.

#include "forest/moving/kernels.hpp"

#include "forest/moving/compress_avx2.hpp"

#if ORCHARD_HAS_X86_64

ORCHARD_BEGIN_AVX2

namespace orchard::learn::moving {
namespace {

inline std::uint64_t low_bits(std::size_t n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

inline std::size_t count_bits(std::uint64_t mask) {
  return static_cast<std::size_t>(_mm_popcnt_u64(mask));
}

inline __m256i load(const std::uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

inline __m256i broadcast(std::uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }

/// A bit a byte: where byte >= least, which has no comparison of its own.
inline std::uint32_t not_below(__m256i bytes, __m256i least) {
  return static_cast<std::uint32_t>(
      _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes, least), bytes)));
}

std::size_t mark(const std::uint8_t* bytes, std::size_t n, std::uint8_t least,
                 std::uint64_t* masks) {
  const __m256i lowest = broadcast(least);
  std::size_t n_marked = 0;
  for (std::size_t at = 0; at < n; at += 64) {
    const std::uint64_t low = not_below(load(bytes + at), lowest);
    const std::uint64_t high = not_below(load(bytes + at + 32), lowest);
    masks[at / 64] = (low | high << 32) & low_bits(n - at);
    n_marked += count_bits(masks[at / 64]);
  }
  _mm256_zeroupper();
  return n_marked;
}

std::size_t find_sides(const Bin* column, std::size_t n_rows, RightBins right_bins,
                       std::uint64_t* left, std::uint64_t* right) {
  const __m256i first = broadcast(right_bins.first_right);
  const __m256i n_right = broadcast(right_bins.n_right);
  std::size_t n_left = 0;
  for (std::size_t at = 0; at < n_rows; at += 64) {
    const std::uint64_t low = not_below(_mm256_sub_epi8(load(column + at), first), n_right);
    const std::uint64_t high = not_below(_mm256_sub_epi8(load(column + at + 32), first), n_right);
    const std::uint64_t rows = low_bits(n_rows - at), is_left = (low | high << 32) & rows;
    left[at / 64] = is_left;
    right[at / 64] = rows & ~is_left;
    n_left += count_bits(is_left);
  }
  _mm256_zeroupper();
  return n_left;
}

/// Rows whose shuffles are made together: these stay in the nearest cache from column to column.
constexpr std::size_t kRowsAPlan = 2048;
constexpr std::size_t kGroups = kRowsAPlan / 16;

/// How the marked rows of some groups of 16 move.
struct Moves {
  alignas(64) std::uint8_t shuffle[kGroups][16];
  std::uint32_t to[kGroups + 1];  ///< where each group's rows begin
  std::size_t n_whole, n;         ///< groups whose 16 bytes may be stored whole, and all
};

/// `room`: rows from the first one on that may be written. Groups after the last marked row are
/// left out.
void plan_moves(const std::uint64_t* masks, std::size_t n_words, std::size_t room, Moves& moves) {
  std::uint32_t done = 0;
  moves.n_whole = moves.n = 0;
  for (std::size_t word = 0; word < n_words; ++word) {
    std::uint64_t mask = masks[word];
    for (std::size_t i = 0; i < 4; ++i, mask >>= 16) {
      const std::size_t group = word * 4 + i;
      const auto sixteen = static_cast<unsigned>(mask & 0xffff);
      _mm_store_si128(reinterpret_cast<__m128i*>(moves.shuffle[group]), front_shuffle(sixteen));
      moves.to[group] = done;
      if (done + 16 <= room) moves.n_whole = group + 1;
      done += static_cast<std::uint32_t>(_mm_popcnt_u32(sixteen));
      if (sixteen != 0) moves.n = group + 1;
    }
  }
  moves.to[moves.n] = done;
  if (moves.n < moves.n_whole) moves.n_whole = moves.n;
}

inline __m128i moved(const Bin* in, const Moves& moves, std::size_t group) {
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + group * 16)),
                          _mm_load_si128(reinterpret_cast<const __m128i*>(moves.shuffle[group])));
}

/// Stores the first `n` of 16 bytes and keeps the others.
inline void store_first(Bin* out, __m128i bytes, std::uint32_t n) {
  const __m128i lane = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m128i is_new = _mm_cmpgt_epi8(_mm_set1_epi8(static_cast<char>(n)), lane);
  auto* at = reinterpret_cast<__m128i*>(out);
  _mm_storeu_si128(at, _mm_blendv_epi8(_mm_loadu_si128(at), bytes, is_new));
}

void keep_rows(const Columns& from, std::size_t n_rows, const std::uint64_t* masks,
               std::size_t n_out, Bin* to, std::size_t to_stride) {
  constexpr std::size_t kWordsAPlan = kRowsAPlan / 64;
  const std::size_t n_words = (n_rows + 63) / 64;
  Moves moves;
  for (std::size_t word = 0, done = 0; word < n_words; word += kWordsAPlan) {
    const std::size_t n_here = n_words - word < kWordsAPlan ? n_words - word : kWordsAPlan;
    plan_moves(masks + word, n_here, n_out - done, moves);
    for (std::size_t column = 0; column < from.n; ++column) {
      const Bin* in = from.first + column * from.stride + word * 64;
      Bin* out = to + column * to_stride + done;
      // What a whole store writes too much is written over by the next.
      for (std::size_t group = 0; group < moves.n_whole; ++group) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + moves.to[group]),
                         moved(in, moves, group));
      }
      for (std::size_t group = moves.n_whole; group < moves.n; ++group) {
        store_first(out + moves.to[group], moved(in, moves, group),
                    moves.to[group + 1] - moves.to[group]);
      }
    }
    done += moves.to[moves.n];
  }
  _mm256_zeroupper();
}

}  // namespace

const Kernels kAvx2Kernels{mark, find_sides, keep_rows};

}  // namespace orchard::learn::moving

ORCHARD_END_INSTRUCTIONS

#endif
