#include "forest/binary/histograms.hpp"

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
    is_varied = search(wide_, &search_wide_words, node, features, missing_bins, n_features, best,
                       right_bin);
  }
  if (is_counted) n_rows_.fill(0);
  return is_varied;
}

}  // namespace orchard::learn::binary
