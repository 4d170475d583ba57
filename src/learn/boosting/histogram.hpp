#pragma once
// Gradient histograms: for every bin of every feature the sums of g and h over a node's rows.
// Integers, so neither threads nor the order of rows show, and a sibling is an exact difference.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
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

/// Histograms that nodes keep until they are split, used again afterwards. Threads may take and
/// give back at the same time.
class HistogramStore {
 public:
  /// `max_bytes`: how much nodes should hold between their search and their split.
  HistogramStore(std::size_t n_slots, std::size_t max_bytes);
  std::unique_ptr<Histogram> take();
  void give_back(std::unique_ptr<Histogram> histogram);
  /// Whether a node that can do without had better give its histogram back.
  bool is_full() const { return n_taken_ > max_taken_; }

 private:
  std::size_t n_slots_, max_taken_;
  std::atomic<std::size_t> n_taken_{0};
  std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<Histogram>> free_;
};

/// Adds rows into histograms, from the row-major copy. Threads that share a tall table out add each
/// a part of the rows into sums of their own, which are merged; of a wide one each takes lines of
/// 64 columns of all rows. Local; different threads may build at the same time, each alone.
class HistogramBuilder {
 public:
  HistogramBuilder(const data::BinnedData& data, const HistogramLayout& layout,
                   const RowPartition& partition, parallel::Pool& pool);
  /// Sets `out` to the sums over the rows of all segments.
  void build(const QuantisedGradients& gradients, const Segments& segments, Histogram& out,
             const Hands& hands);

 private:
  struct Range {
    std::size_t first = 0, last = 0;  // columns
  };
  /// What is added up, by whom, which columns need care, and into which packed sums first:
  /// [n_columns][kPackedStride].
  struct Adding {
    const QuantisedGradients& gradients;
    const Hands& hands;
    const std::vector<char>& is_frequent;
    std::vector<std::uint64_t>& packed;
  };
  void add_range(const Adding& adding, std::span<const Segment> segments, Range columns,
                 Sums* out) const;
  void add_packed(const Adding& adding, std::span<const Segment> segments, Range columns,
                  Sums* out) const;
  void add_wide(const Adding& adding, std::span<const Segment> segments, Range columns,
                Sums* out) const;
  void find_frequent(parallel::Pool& pool);
  std::size_t end_of_tile(std::size_t first, std::size_t last) const;
  BinRows tile_rows(std::size_t first, std::size_t last) const;
  std::vector<std::uint64_t>& packed_of(std::size_t thread);
  void build_by_lines(const QuantisedGradients& gradients, const Segments& segments, Histogram& out,
                      const Hands& hands);
  void build_by_parts(const QuantisedGradients& gradients, const Segments& segments, Histogram& out,
                      const Hands& hands);

  const data::BinnedData& data_;
  const HistogramLayout& layout_;
  const RowPartition& partition_;
  const SumsKernel& kernel_;
  // [n_columns] whether more than kPackedRows rows, of all or of a part, share a bin: no other
  // column's packed sums can overflow, however many of them are added.
  std::vector<char> is_frequent_;
  std::vector<std::vector<char>> is_frequent_of_part_;  // [n_parts][n_columns]
  // [n_threads][n_columns][kPackedStride], of a thread or a part, made when first needed
  std::vector<std::vector<std::uint64_t>> packed_;
  std::vector<Histogram> partial_;  // [n_parts - 1], made when first needed
};

}  // namespace orchard::learn::boosting
