#pragma once
// Gradient histograms: for every bin of every feature the sums of g and h over a node's rows.
// Integers, so neither threads nor the order of rows show, and a sibling is an exact difference.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "boosting/gradients.hpp"
#include "boosting/histogram_kernel.hpp"
#include "boosting/rows.hpp"
#include "boosting/sums_kernel.hpp"
#include "orchard/data/binning.hpp"

namespace orchard::learn::boosting {

/// Where the sums of each column of the row-major copy begin in a histogram: the bins of its
/// feature, the missing bin last, or the codes of a bundle.
class HistogramLayout {
 public:
  explicit HistogramLayout(const data::Binning& binning);
  std::size_t n_columns() const { return offsets_.size() - 1; }
  std::size_t n_slots() const { return offsets_.back(); }
  std::size_t offset(std::size_t column) const { return offsets_[column]; }
  std::size_t size(std::size_t column) const { return offsets_[column + 1] - offsets_[column]; }
  const std::uint32_t* offsets() const { return offsets_.data(); }

 private:
  std::vector<std::uint32_t> offsets_;  // [n_columns + 1]
};

/// Sums [n_slots].
using Histogram = std::vector<Sums>;

/// Histograms that nodes keep until they are split, used again afterwards.
class HistogramStore {
 public:
  /// `max_bytes`: how much nodes should hold between their search and their split.
  HistogramStore(std::size_t n_slots, std::size_t max_bytes);
  std::unique_ptr<Histogram> take();
  void give_back(std::unique_ptr<Histogram> histogram);
  /// Whether a node that can do without had better give its histogram back.
  bool is_full() const { return n_taken_ > max_taken_; }

 private:
  std::size_t n_slots_, max_taken_, n_taken_ = 0;
  std::vector<std::unique_ptr<Histogram>> free_;
};

/// Adds rows into histograms, from the row-major copy. Tall data: each part of the rows into its
/// own sums, which are merged; wide data: each thread takes lines of 64 columns of all rows.
/// Local; uses the pool's threads.
class HistogramBuilder {
 public:
  HistogramBuilder(const data::BinnedData& data, const HistogramLayout& layout,
                   const RowPartition& partition, parallel::Pool& pool);
  /// Sets `out` to the sums over the rows of all segments.
  void build(const QuantisedGradients& gradients, const Segments& segments, Histogram& out);

 private:
  struct Range {
    std::size_t first = 0, last = 0;  // columns
  };
  void add_range(const QuantisedGradients& gradients, std::span<const Segment> segments,
                 Range columns, std::vector<std::uint64_t>& packed, Sums* out) const;
  void add_packed(const QuantisedGradients& gradients, std::span<const Segment> segments,
                  Range columns, std::vector<std::uint64_t>& packed, Sums* out) const;
  void add_wide(const QuantisedGradients& gradients, std::span<const Segment> segments,
                Range columns, Sums* out) const;
  void find_frequent();
  std::size_t end_of_tile(std::size_t first, std::size_t last) const;
  BinRows tile_rows(std::size_t first, std::size_t last) const;
  void build_by_lines(const QuantisedGradients& gradients, const Segments& segments,
                      Histogram& out);
  void build_by_parts(const QuantisedGradients& gradients, const Segments& segments,
                      Histogram& out);

  const data::BinnedData& data_;
  const HistogramLayout& layout_;
  const RowPartition& partition_;
  parallel::Pool& pool_;
  const SumsKernel& kernel_;
  // [n_columns] whether more than kPackedRows training rows share a bin: no other column's packed
  // sums can overflow, however many rows are added.
  std::vector<char> is_frequent_;
  std::vector<std::vector<std::uint64_t>> packed_;  // [n_parts][n_columns][kPackedStride]
  std::vector<Histogram> partial_;                  // [n_parts - 1], made when first needed
};

}  // namespace orchard::learn::boosting
