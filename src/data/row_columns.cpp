#include "orchard/data/row_columns.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "orchard/base/error.hpp"
#include "orchard/data/binning.hpp"
#include "transpose.hpp"

namespace orchard::data {
namespace {

constexpr std::size_t kMaxMembers = 254;  // codes of a byte
constexpr std::size_t kMaxOpen = 8;       // bundles that a feature is tried with
constexpr std::size_t kWaveFeatures = 16;
constexpr std::size_t kChunkRows = 16384;
constexpr std::size_t kScratchRows = 512;

/// Rows as bits, in any fixed order.
using RowSet = std::vector<std::uint64_t>;

/// The rows in which a feature leaves its usual bin.
struct RareRows {
  std::size_t n = 0;  ///< 0: it cannot be bundled
  Bin bin = 0;
  RowSet rows;
};

constexpr std::uint64_t kOnes = 0x0101010101010101;

/// Bytes of 0 and 1 as bits.
std::uint64_t bits_of(const std::array<std::uint64_t, 8>& block) {
  constexpr std::uint64_t kGather = 0x0102040810204080;  // lowest bits of eight bytes to the top
  std::uint64_t bits = 0;
  for (const std::uint64_t eight : block) bits = bits << 8 | (eight * kGather) >> 56;
  return bits;
}

/// `column`: [n] bins of a feature with two bins.
RareRows rare_rows(const Bin* column, std::size_t n) {
  RareRows rare;
  rare.rows.resize((n + 63) / 64);
  std::uint64_t all = 0;
  for (std::size_t word = 0; word < rare.rows.size(); ++word) {
    std::array<std::uint64_t, 8> block{};
    std::memcpy(block.data(), column + word * 64, std::min<std::size_t>(64, n - word * 64));
    for (const std::uint64_t eight : block) all |= eight;
    const std::uint64_t bits = bits_of(block);
    rare.rows[word] = bits;
    rare.n += static_cast<std::size_t>(std::popcount(bits));
  }
  if ((all & ~kOnes) != 0) return {};
  rare.bin = 1;
  if (rare.n > n - rare.n) {
    rare.bin = 0;
    rare.n = n - rare.n;
    for (std::size_t word = 0; word < rare.rows.size(); ++word) {
      std::array<std::uint64_t, 8> block{};
      std::memset(block.data(), 1, std::min<std::size_t>(64, n - word * 64));
      rare.rows[word] ^= bits_of(block);
    }
  }
  return rare;
}

bool are_disjoint(const RowSet& a, const RowSet& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] & b[i]) != 0) return false;
  }
  return true;
}

/// Features whose rare rows are disjoint.
struct Bundle {
  RowSet taken;
  std::vector<std::uint32_t> features;
  std::vector<Bin> rare;
};

/// Puts each feature into the first open bundle that has room for it, else opens another.
class Bundler {
 public:
  void put(std::uint32_t feature, RareRows&& rare) {
    if (rare.n == 0) return;
    auto found = std::find_if(open_.begin(), open_.end(), [&](const Bundle& bundle) {
      return bundle.features.size() < kMaxMembers && are_disjoint(bundle.taken, rare.rows);
    });
    if (found == open_.end()) {
      if (open_.size() == kMaxOpen) close(open_.begin());
      found = open_.insert(open_.end(), Bundle{std::move(rare.rows), {}, {}});
    } else {
      for (std::size_t i = 0; i < rare.rows.size(); ++i) found->taken[i] |= rare.rows[i];
      // The bundles stay in the order in which they last grew.
      std::rotate(found, found + 1, open_.end());
      found = open_.end() - 1;
    }
    found->features.push_back(feature);
    found->rare.push_back(rare.bin);
  }
  /// All bundles of several features.
  std::vector<Bundle> finish() {
    while (!open_.empty()) close(open_.begin());
    return std::move(closed_);
  }

 private:
  void close(std::vector<Bundle>::iterator bundle) {
    if (bundle->features.size() > 1) {
      bundle->taken = {};
      closed_.push_back(std::move(*bundle));
    }
    open_.erase(bundle);
  }

  std::vector<Bundle> open_, closed_;
};

/// One column of the row-major copy, of rows [row, row + n).
void fill_column(const RowColumns& columns, const BinnedLayout& layout, std::size_t column,
                 const Bin* memory, std::size_t row, std::size_t n, Bin* out) {
  const auto& features = columns.features[column];
  const auto bins_of = [&](std::uint32_t feature) {
    return memory + feature * layout.column_stride + row;
  };
  if (features.size() == 1) {
    std::copy_n(bins_of(features[0]), n, out);
    return;
  }
  std::fill_n(out, n, Bin{0});
  for (const std::uint32_t feature : features) {
    const Bin* const bins = bins_of(feature);
    const RowPlace& place = columns.places[feature];
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = static_cast<Bin>(out[i] | (bins[i] == place.rare ? place.code : 0));
    }
  }
}

}  // namespace

RowColumns RowColumns::plain(std::size_t n_features) {
  RowColumns columns;
  columns.places.resize(n_features);
  for (std::uint32_t f = 0; f < n_features; ++f) {
    columns.places[f].column = f;
    columns.features.push_back({f});
  }
  return columns;
}

RowColumns bundle_features(std::span<const FeatureBins> features, const BinnedLayout& layout,
                           const std::byte* memory, parallel::Pool& pool) {
  const auto* const bins = reinterpret_cast<const Bin*>(memory);
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t f = 0; f < features.size(); ++f) {
    const bool is_numeric = features[f].kind == model::FeatureKind::kNumeric;
    if (is_numeric && features[f].n_bins == 2) candidates.push_back(f);
  }
  Bundler bundler;
  std::vector<RareRows> wave(kWaveFeatures);
  for (std::size_t begin = 0; begin < candidates.size(); begin += kWaveFeatures) {
    const std::size_t n = std::min(kWaveFeatures, candidates.size() - begin);
    pool.for_chunks(n, 1, [&](std::size_t i, std::size_t, int) {
      wave[i] = rare_rows(bins + candidates[begin + i] * layout.column_stride, layout.n_train);
    });
    for (std::size_t i = 0; i < n; ++i) bundler.put(candidates[begin + i], std::move(wave[i]));
  }

  RowColumns columns;
  columns.places.resize(features.size());
  const auto bundles = bundler.finish();
  std::vector<const Bundle*> bundle_of(features.size());
  for (const Bundle& bundle : bundles) {
    for (const std::uint32_t f : bundle.features) bundle_of[f] = &bundle;
  }
  // A bundle stands where its first feature would.
  for (std::uint32_t f = 0; f < features.size(); ++f) {
    const auto column = static_cast<std::uint32_t>(columns.n_columns());
    const Bundle* const bundle = bundle_of[f];
    if (bundle == nullptr) {
      columns.places[f].column = column;
      columns.features.push_back({f});
    } else if (bundle->features[0] == f) {
      columns.features.push_back(bundle->features);
      for (std::size_t i = 0; i < bundle->features.size(); ++i) {
        columns.places[bundle->features[i]] = {column, static_cast<Bin>(i + 1), bundle->rare[i]};
      }
    }
  }
  return columns;
}

void fill_rows(const RowColumns& columns, const BinnedLayout& layout, RowIndex first, RowIndex last,
               std::byte* memory, parallel::Pool& pool) {
  require(first <= last && last <= layout.n_train, "rows are training rows");
  if (layout.row_stride == 0) return;
  const std::size_t n_columns = columns.n_columns();
  require(n_columns <= layout.row_stride, "a row has room for its columns");
  const auto* const bins = reinterpret_cast<const Bin*>(memory);
  Bin* const rows = reinterpret_cast<Bin*>(memory) + layout.rows_offset;
  pool.for_chunks(last - first, kChunkRows, [&](std::size_t begin, std::size_t end, int) {
    if (n_columns == layout.n_features) {
      transpose_bins(bins + first + begin, layout.column_stride, n_columns,
                     rows + (first + begin) * layout.row_stride, layout.row_stride, end - begin);
      return;
    }
    std::vector<Bin> scratch(n_columns * kScratchRows);
    for (std::size_t at = first + begin; at < first + end; at += kScratchRows) {
      const std::size_t n = std::min(kScratchRows, first + end - at);
      for (std::size_t column = 0; column < n_columns; ++column) {
        fill_column(columns, layout, column, bins, at, n, scratch.data() + column * kScratchRows);
      }
      transpose_bins(scratch.data(), kScratchRows, n_columns, rows + at * layout.row_stride,
                     layout.row_stride, n);
    }
  });
}

}  // namespace orchard::data
