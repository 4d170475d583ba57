#include "boosting/histogram.hpp"

#include <algorithm>

#include "boosting/histogram_kernel.hpp"
#include "orchard/base/error.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kLine = 64;         // columns of a row in one cache line
constexpr std::size_t kNarrow = 32;       // columns whose packed sums still go in one pass
constexpr std::size_t kTileSlots = 4096;  // else so many slots: 32 KiB of packed sums
constexpr std::size_t kBlockRows = 2048;  // rows that stay in the cache between two tiles
constexpr std::size_t kBinsOfByte = 256;
constexpr std::size_t kCountedRows = 8192;  // of a chunk
constexpr std::size_t kCellsWorthThreads = 300'000;

static_assert(kPackedRows % kBlockRows == 0);

Segment block_of(const Segment& segment, std::size_t begin) {
  return {static_cast<std::uint32_t>(begin),
          static_cast<std::uint32_t>(std::min<std::size_t>(segment.end, begin + kBlockRows))};
}

}  // namespace

HistogramLayout::HistogramLayout(const data::Binning& binning) : offsets_{0} {
  for (const auto& features : binning.row_columns.features) {
    const std::size_t n_slots =
        features.size() > 1 ? features.size() + 1
                            : static_cast<std::size_t>(binning.features[features[0]].n_slots());
    offsets_.push_back(offsets_.back() + static_cast<std::uint32_t>(n_slots));
  }
}

HistogramStore::HistogramStore(std::size_t n_slots, std::size_t max_bytes)
    : n_slots_(n_slots), max_taken_(max_bytes / (n_slots * sizeof(Sums) + 1)) {}

std::unique_ptr<Histogram> HistogramStore::take() {
  std::unique_ptr<Histogram> histogram;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      histogram = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!histogram) histogram = std::make_unique<Histogram>(n_slots_);
  ++n_taken_;
  return histogram;
}

void HistogramStore::give_back(std::unique_ptr<Histogram> histogram) {
  if (!histogram) return;
  --n_taken_;
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(histogram));
}

HistogramBuilder::HistogramBuilder(const data::BinnedData& data, const HistogramLayout& layout,
                                   const RowPartition& partition, parallel::Pool& pool)
    : data_(data),
      layout_(layout),
      partition_(partition),
      kernel_(sums_kernel()),
      packed_(static_cast<std::size_t>(pool.n_threads())) {
  require(data.has_rows(), "boosting is given the row-major copy of the training rows");
  find_frequent(pool);
}

std::vector<std::uint64_t>& HistogramBuilder::packed_of(std::size_t thread) {
  packed_[thread].resize(layout_.n_columns() * kPackedStride);
  return packed_[thread];
}

void HistogramBuilder::find_frequent(parallel::Pool& pool) {
  const std::size_t n_slots = layout_.n_columns() * kBinsOfByte;
  std::vector<std::vector<std::uint32_t>> of_part(static_cast<std::size_t>(partition_.n_parts()));
  pool.for_chunks(of_part.size(), 1, [&](std::size_t part, std::size_t, int) {
    of_part[part].resize(n_slots);
    const auto rows = partition_.rows_of_part(part);
    for (std::size_t at = 0; at < rows.size(); ++at) {
      if (at % kCountedRows == 0) pool.poll();
      const Bin* const row = data_.row(rows[at]);
      for (std::size_t column = 0; column < layout_.n_columns(); ++column) {
        ++of_part[part][column * kBinsOfByte + row[column]];
      }
    }
  });
  is_frequent_of_part_.assign(of_part.size(), std::vector<char>(layout_.n_columns()));
  is_frequent_.assign(layout_.n_columns(), 0);
  for (std::size_t i = 0; i < n_slots; ++i) {
    std::size_t n_rows = 0;
    for (std::size_t part = 0; part < of_part.size(); ++part) {
      n_rows += of_part[part][i];
      if (of_part[part][i] > kPackedRows) is_frequent_of_part_[part][i / kBinsOfByte] = 1;
    }
    if (n_rows > kPackedRows) is_frequent_[i / kBinsOfByte] = 1;
  }
}

void HistogramBuilder::build(const QuantisedGradients& gradients, const Segments& segments,
                             Histogram& out, const Hands& hands) {
  const std::size_t n_columns = layout_.n_columns();
  const std::size_t n_lines = (n_columns + kLine - 1) / kLine;
  const auto n_threads = static_cast<std::size_t>(hands.n_threads());
  if (n_threads == 1 || n_rows(segments) * n_columns < kCellsWorthThreads) {
    auto& packed = packed_of(static_cast<std::size_t>(hands.thread()));
    add_range({gradients, hands, is_frequent_, packed}, segments, {0, n_columns}, out.data());
  } else if (n_lines >= 2 * n_threads || partition_.n_parts() == 1) {
    build_by_lines(gradients, segments, out, hands);
  } else {
    build_by_parts(gradients, segments, out, hands);
  }
}

void HistogramBuilder::build_by_lines(const QuantisedGradients& gradients, const Segments& segments,
                                      Histogram& out, const Hands& hands) {
  // Different lines write to different slots of the same arrays.
  auto& packed = packed_of(0);
  hands.for_chunks(layout_.n_columns(), kLine, true, [&](std::size_t first, std::size_t last, int) {
    add_range({gradients, hands, is_frequent_, packed}, segments, {first, last}, out.data());
  });
}

void HistogramBuilder::build_by_parts(const QuantisedGradients& gradients, const Segments& segments,
                                      Histogram& out, const Hands& hands) {
  if (partial_.empty()) partial_.assign(segments.size() - 1, Histogram(layout_.n_slots()));
  hands.for_chunks(segments.size(), 1, true, [&](std::size_t part, std::size_t, int) {
    add_range({gradients, hands, is_frequent_of_part_[part], packed_of(part)}, {&segments[part], 1},
              {0, layout_.n_columns()}, part == 0 ? out.data() : partial_[part - 1].data());
  });
  for (const Histogram& partial : partial_) {
    kernel_.add(out.data(), partial.data(), out.size());
  }
}

void HistogramBuilder::add_range(const Adding& adding, std::span<const Segment> segments,
                                 Range columns, Sums* out) const {
  adding.hands.poll();
  if (adding.gradients.is_wide()) {
    add_wide(adding, segments, columns, out);
  } else {
    add_packed(adding, segments, columns, out);
  }
}

void HistogramBuilder::add_packed(const Adding& adding, std::span<const Segment> segments,
                                  Range columns, Sums* out) const {
  std::vector<std::uint64_t>& packed = adding.packed;
  const std::vector<char>& is_frequent = adding.is_frequent;
  // An earlier build may have been stopped halfway.
  std::fill(packed.data() + columns.first * kPackedStride,
            packed.data() + columns.last * kPackedStride, 0);
  bool has_flushed = false;
  const auto flush = [&](std::size_t column) {
    kernel_.flush(packed.data() + column * kPackedStride, layout_.size(column),
                  out + layout_.offset(column), !has_flushed || !is_frequent[column]);
  };
  std::size_t n_pending = 0;
  for (const Segment& segment : segments) {
    for (std::size_t at = segment.begin; at < segment.end; at += kBlockRows) {
      const auto rows = partition_.rows(block_of(segment, at));
      adding.hands.poll();
      if (n_pending + rows.size() > kPackedRows) {
        for (std::size_t column = columns.first; column < columns.last; ++column) {
          if (is_frequent[column]) flush(column);
        }
        has_flushed = true;
        n_pending = 0;
      }
      for (std::size_t column = columns.first; column < columns.last;) {
        const std::size_t end = end_of_tile(column, columns.last);
        add_packed_rows(tile_rows(column, end), adding.gradients.packed, rows,
                        packed.data() + column * kPackedStride);
        column = end;
      }
      n_pending += rows.size();
    }
  }
  for (std::size_t column = columns.first; column < columns.last; ++column) flush(column);
}

// Columns of few bins take little room: more of them go in one pass.
std::size_t HistogramBuilder::end_of_tile(std::size_t first, std::size_t last) const {
  if (layout_.n_columns() <= kNarrow) return last;
  std::size_t end = first + 1;
  while (end < last && end - first < kMaxTile &&
         layout_.offset(end + 1) - layout_.offset(first) <= kTileSlots) {
    ++end;
  }
  return end;
}

BinRows HistogramBuilder::tile_rows(std::size_t first, std::size_t last) const {
  return {data_.row(0) + first, data_.layout.row_stride, last - first};
}

void HistogramBuilder::add_wide(const Adding& adding, std::span<const Segment> segments,
                                Range columns, Sums* out) const {
  std::fill(out + layout_.offset(columns.first), out + layout_.offset(columns.last), Sums());
  for (const Segment& segment : segments) {
    for (std::size_t at = segment.begin; at < segment.end; at += kBlockRows) {
      const auto rows = partition_.rows(block_of(segment, at));
      adding.hands.poll();
      for (std::size_t column = columns.first; column < columns.last;) {
        const std::size_t end = end_of_tile(column, columns.last);
        add_wide_rows(tile_rows(column, end), adding.gradients.wide, rows,
                      layout_.offsets() + column, out);
        column = end;
      }
    }
  }
}

}  // namespace orchard::learn::boosting
