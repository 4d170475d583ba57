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

/// How the marked rows of some groups of 16 move. Groups without any are left out.
struct Moves {
  alignas(64) std::uint8_t shuffle[kGroups][16];
  std::uint16_t from[kGroups], to[kGroups];
  /// The first groups' 16 bytes are stored whole. What the others keep is less than 16 bytes, which
  /// their shuffles put into place, so that these are stored together.
  std::size_t n_whole, n;
  std::size_t tail_to, n_tail;
  std::size_t n_rows;  ///< that are marked
};

/// Puts a shuffle's bytes `n` places further back; at least `n` of its places are free.
inline __m128i put_back(__m128i shuffle, std::size_t n) {
  const __m128i lane = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m128i is_free = _mm_set1_epi8(static_cast<char>(0x80));
  const __m128i places = _mm_sub_epi8(lane, _mm_set1_epi8(static_cast<char>(n)));
  return _mm_xor_si128(_mm_shuffle_epi8(_mm_xor_si128(shuffle, is_free), places), is_free);
}

/// `room`: rows from the first one on that may be written.
void plan_moves(const std::uint64_t* masks, std::size_t n_words, std::size_t room, Moves& moves) {
  std::size_t done = 0, n = 0, n_whole = 0;
  for (std::size_t word = 0; word < n_words; ++word) {
    std::uint64_t mask = masks[word];
    for (std::size_t from = word * 64; mask != 0; from += 16, mask >>= 16) {
      const auto sixteen = static_cast<unsigned>(mask & 0xffff);
      if (sixteen == 0) continue;
      _mm_store_si128(reinterpret_cast<__m128i*>(moves.shuffle[n]), front_shuffle(sixteen));
      moves.from[n] = static_cast<std::uint16_t>(from);
      moves.to[n++] = static_cast<std::uint16_t>(done);
      if (done + 16 <= room) n_whole = n;
      done += static_cast<std::size_t>(_mm_popcnt_u32(sixteen));
    }
  }
  moves.n_whole = n_whole;
  moves.n = n;
  moves.tail_to = n_whole < n ? moves.to[n_whole] : done;
  moves.n_tail = done - moves.tail_to;
  moves.n_rows = done;
  for (std::size_t i = n_whole; i < n; ++i) {
    auto* shuffle = reinterpret_cast<__m128i*>(moves.shuffle[i]);
    _mm_store_si128(shuffle, put_back(_mm_load_si128(shuffle), moves.to[i] - moves.tail_to));
  }
}

inline __m128i moved(const Bin* in, const Moves& moves, std::size_t group) {
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + moves.from[group])),
                          _mm_load_si128(reinterpret_cast<const __m128i*>(moves.shuffle[group])));
}

template <std::size_t kColumns>
inline void move_columns(const Bin* in, std::size_t stride, const Moves& moves, Bin* out,
                         std::size_t out_stride) {
  // Read before anything is stored next to them, which reading would have to wait for.
  __m128i behind[kColumns];
  if (moves.n_tail != 0) {
    for (std::size_t k = 0; k < kColumns; ++k) {
      behind[k] =
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(out + k * out_stride + moves.tail_to));
    }
  }
  // What a whole store writes too much is written over by the next.
  for (std::size_t group = 0; group < moves.n_whole; ++group) {
    for (std::size_t k = 0; k < kColumns; ++k) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + k * out_stride + moves.to[group]),
                       moved(in + k * stride, moves, group));
    }
  }
  if (moves.n_tail == 0) return;
  const __m128i lane = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m128i is_new = _mm_cmpgt_epi8(_mm_set1_epi8(static_cast<char>(moves.n_tail)), lane);
  for (std::size_t k = 0; k < kColumns; ++k) {
    __m128i tail = _mm_setzero_si128();
    for (std::size_t group = moves.n_whole; group < moves.n; ++group) {
      tail = _mm_or_si128(tail, moved(in + k * stride, moves, group));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + k * out_stride + moves.tail_to),
                     _mm_blendv_epi8(behind[k], tail, is_new));
  }
}

void keep_rows(const Columns& from, std::size_t n_rows, const std::uint64_t* masks,
               std::size_t room, Bin* to, std::size_t to_stride) {
  constexpr std::size_t kWordsAPlan = kRowsAPlan / 64;
  const std::size_t n_words = (n_rows + 63) / 64;
  Moves moves;
  for (std::size_t word = 0, done = 0; word < n_words; word += kWordsAPlan) {
    const std::size_t n_here = n_words - word < kWordsAPlan ? n_words - word : kWordsAPlan;
    plan_moves(masks + word, n_here, room - done, moves);
    const Bin* in = from.first + word * 64;
    Bin* out = to + done;
    std::size_t column = 0;
    for (; column + 4 <= from.n; column += 4) {
      move_columns<4>(in + column * from.stride, from.stride, moves, out + column * to_stride,
                      to_stride);
    }
    for (; column < from.n; ++column) {
      move_columns<1>(in + column * from.stride, from.stride, moves, out + column * to_stride,
                      to_stride);
    }
    done += moves.n_rows;
  }
  _mm256_zeroupper();
}

}  // namespace

const Kernels kAvx2Kernels{mark, find_sides, keep_rows};

}  // namespace orchard::learn::moving

ORCHARD_END_INSTRUCTIONS

#endif
