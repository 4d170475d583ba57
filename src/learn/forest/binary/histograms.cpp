#include "forest/binary/histograms.hpp"

#include "forest/pair.hpp"

#include "orchard/base/instruction_set.hpp"

#if ORCHARD_HAS_X86_64

namespace orchard::learn::binary {
namespace {

template <class Word>
constexpr std::array<Word, 256> make_words() {
  std::array<Word, 256> out{};
  for (Word code = 0; code < 256; ++code) {
    const Word weight = code >> 1;
    out[code] = weight << (sizeof(Word) * 4) | (code % 2 != 0 ? weight : 0);
  }
  return out;
}
/// What a row adds to its bin, by code.
template <class Word>
constexpr std::array<Word, 256> kWordOfCode = make_words<Word>();

Counts counts_of(std::uint64_t word) {
  return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
}

/// words[k][bin of feature k] += word of the row, for all rows.
template <std::size_t kFeatures, class Word, class WordOf, class PlaceOf>
void add_rows(const Bin* const* columns, std::size_t n_rows, PlaceOf place_of, WordOf word_of,
              Word* words) {
  for (std::size_t row = 0; row < n_rows; ++row) {
    const Word word = word_of(row);
    const std::size_t place = place_of(row);
    for (std::size_t k = 0; k < kFeatures; ++k) words[k * kWords + columns[k][place]] += word;
  }
}

template <class Word, class WordOf, class PlaceOf>
void add_rows(const Bin* const* columns, std::size_t n_features, std::size_t n_rows,
              PlaceOf place_of, WordOf word_of, Word* words) {
  switch (n_features) {
    case 1:
      return add_rows<1>(columns, n_rows, place_of, word_of, words);
    case 2:
      return add_rows<2>(columns, n_rows, place_of, word_of, words);
    case 3:
      return add_rows<3>(columns, n_rows, place_of, word_of, words);
    case 4:
      return add_rows<4>(columns, n_rows, place_of, word_of, words);
    default:
      return add_rows<5>(columns, n_rows, place_of, word_of, words);
  }
}

/// The same for rows that lie side by side, or where `rows` says.
template <class Word, class WordOf>
void add_rows(const Bin* const* columns, std::size_t n_features, const RowIndex* rows,
              std::size_t n_rows, WordOf word_of, Word* words) {
  if (rows == nullptr) {
    add_rows(
        columns, n_features, n_rows, [](std::size_t row) { return row; }, word_of, words);
  } else {
    const auto place_of = [rows](std::size_t row) -> std::size_t { return rows[row]; };
    add_rows(columns, n_features, n_rows, place_of, word_of, words);
  }
}

/// search_words for any weight: few nodes are so large, and counting their rows takes longer.
struct WideSide {
  double score = -1;
  int bin = 0;
  Counts left;
};

WideSide search_side(const std::uint64_t* words, const std::uint32_t* n_rows,
                     const NodeCounts& node, int missing_bin, bool is_missing_left) {
  NarrowJudge judge;
  judge.start({node.counts.weight, node.counts.positives});
  WideSide best;
  std::uint64_t left = is_missing_left ? words[missing_bin] : 0;
  std::uint32_t n_left = is_missing_left ? n_rows[missing_bin] : 0;
  for (int bin = 0; bin < missing_bin; ++bin) {
    if (words[bin] == 0) continue;
    left += words[bin];
    n_left += n_rows[bin];
    const Counts counts = counts_of(left);
    if (counts.weight == node.counts.weight) break;
    if (node.n_leaf_rows > 1 &&
        (n_left < node.n_leaf_rows || node.n_rows - n_left < node.n_leaf_rows)) {
      continue;
    }
    const double score = judge.score({counts.weight, counts.positives});
    if (score > best.score) best = {score, bin, counts};
  }
  return best;
}

bool search_wide_words(const std::uint64_t* words, const std::uint32_t* n_rows,
                       const NodeCounts& node, int missing_bin, FeatureIndex feature,
                       Choice& best) {
  WideSide found = search_side(words, n_rows, node, missing_bin, false);
  const bool is_varied = found.score >= 0;
  const bool has_missing = words[missing_bin] != 0;
  bool is_missing_left = false;
  if (has_missing) {
    const WideSide left = search_side(words, n_rows, node, missing_bin, true);
    is_missing_left = left.score != found.score ? left.score > found.score : left.bin <= found.bin;
    if (is_missing_left) found = left;
  }
  if (found.score >= 0 && found.score > best.score) {
    best = {found.score, feature, found.bin, has_missing, is_missing_left, found.left};
  }
  return is_varied;
}

}  // namespace

template <class Word>
bool Histograms::search(Pass<Word>& words, SearchPass<Word>* search_words, const NodeCounts& node,
                        const FeatureIndex* features, const Bin* missing_bins,
                        std::size_t n_features, Choice& best, int& right_bin) {
  bool is_varied = false;
  for (std::size_t k = 0; k < n_features; ++k) {
    const Word* own = words.data() + k * kWords;
    const int missing_bin = missing_bins[features[k]];
    const double before = best.score;
    is_varied |=
        search_words(own, n_rows_.data() + k * kWords, node, missing_bin, features[k], best);
    if (!(best.score > before)) continue;
    right_bin = best.left_bin + 1;
    while (right_bin < missing_bin && own[right_bin] == 0) ++right_bin;
  }
  words.fill(0);
  return is_varied;
}

bool Histograms::search(const moving::Columns& columns, const RowIndex* rows, const Code* codes,
                        const NodeCounts& node, const FeatureIndex* features,
                        const Bin* missing_bins, std::size_t n_features, Choice& best,
                        int& right_bin) {
  std::array<const Bin*, kFeaturesAPass> first{};
  for (std::size_t k = 0; k < n_features; ++k) {
    first[k] = columns.first + features[k] * columns.stride;
  }
  const bool is_counted = node.n_leaf_rows > 1;
  if (is_counted) {
    add_rows(
        first.data(), n_features, rows, node.n_rows, [](std::size_t) { return 1U; },
        n_rows_.data());
  }
  bool is_varied;
  if (node.counts.weight <= kMaxWordWeight) {
    const auto word_of = [&](std::size_t row) { return kWordOfCode<std::uint32_t>[codes[row]]; };
    add_rows(first.data(), n_features, rows, node.n_rows, word_of, words_.data());
    is_varied =
        search(words_, search_words_, node, features, missing_bins, n_features, best, right_bin);
  } else {
    const auto word_of = [&](std::size_t row) { return kWordOfCode<std::uint64_t>[codes[row]]; };
    add_rows(first.data(), n_features, rows, node.n_rows, word_of, wide_.data());
    is_varied =
        search(wide_, search_wide_words, node, features, missing_bins, n_features, best, right_bin);
  }
  if (is_counted) n_rows_.fill(0);
  return is_varied;
}

}  // namespace orchard::learn::binary

#endif
