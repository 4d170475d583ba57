#include "boosting/gradients.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr std::size_t kChunk = 8192;
constexpr std::size_t kMaxShareOfFew = 100;  // one row in this many
// Below this, quanta would be no normal numbers; such derivatives are as good as zero.
constexpr double kTiny = 0x1p-900;

std::int64_t to_nearest(double value) {
  return static_cast<std::int64_t>(value + (value < 0 ? -0.5 : 0.5));
}

double scale_of(double greatest, int bits) {
  if (greatest < kTiny) return 1;
  return static_cast<double>((std::int64_t{1} << bits) - 1) / greatest;
}

}  // namespace

GradientMaker::GradientMaker(LossKind kind, int n_outputs, double raw_quantum,
                             std::span<const double> target, const TrainingRows& rows,
                             Precision precision, parallel::Pool& pool, Peers peers)
    : kind_(kind),
      n_outputs_(n_outputs),
      raw_quantum_(raw_quantum),
      target_(target),
      rows_(rows),
      precision_(precision),
      pool_(pool),
      peers_(peers),
      kernel_(gradient_kernel()),
      maxima_(static_cast<std::size_t>(n_outputs)),
      packed_(target.size()) {
  if (kind == LossKind::kMultinomial) {
    probability_.resize(target.size() * static_cast<std::size_t>(n_outputs));
  }
  const std::int64_t n_without = std::count(rows.weight.begin(), rows.weight.end(), 0.0);
  std::array<std::int64_t, 3> counts = {static_cast<std::int64_t>(target.size()), n_without,
                                        static_cast<std::int64_t>(rows.weight.size())};
  peers_.sum(counts);
  n_all_ = static_cast<std::size_t>(counts[0]);
  n_weighted_ = n_all_ - static_cast<std::size_t>(counts[1]);
  h_is_count_ = kind == LossKind::kSquaredError && counts[2] == 0;
}

LossInput GradientMaker::input(int output) const {
  LossInput from;
  from.kind = kind_;
  from.output = output;
  from.raw = raw_;
  from.raw_quantum = raw_quantum_;
  from.target = target_.data();
  from.weight = rows_.weight.empty() ? nullptr : rows_.weight.data();
  if (!probability_.empty()) {
    from.probability = probability_.data() + static_cast<std::size_t>(output) * target_.size();
  }
  return from;
}

GradientMaker::Maxima GradientMaker::maxima_of(int output, std::size_t begin,
                                               std::size_t end) const {
  constexpr double kMost = 0x1p1000;
  GreatestBits bits;
  GradientBlock block;
  const LossInput from = input(output);
  for (std::size_t at = begin; at < end; at += kGradientBlock) {
    const std::size_t n = std::min(kGradientBlock, end - at);
    kernel_.derivatives(from, at, n, block);
    const GreatestBits found = kernel_.greatest(block, n);
    bits = {std::max(bits.g, found.g), std::max(bits.h, found.h)};
  }
  Maxima found{std::bit_cast<double>(bits.g), std::bit_cast<double>(bits.h)};
  found.is_finite = found.g <= kMost && found.h <= kMost;
  return found;
}

void GradientMaker::begin_round(std::span<const std::int64_t> raw) {
  raw_ = raw.data();
  if (kind_ == LossKind::kBinary && rows_.weight.empty()) {
    maxima_[0] = maxima_of_two_classes();
  } else {
    find_maxima();
  }
  agree_on_maxima();
}

// Only the extreme raw predictions need exponentials, and all numbers are finite.
GradientMaker::Maxima GradientMaker::maxima_of_two_classes() {
  if (target_.empty()) return {};
  std::vector<RawExtremes> of_thread(static_cast<std::size_t>(pool_.n_threads()));
  pool_.for_chunks(target_.size(), kChunk, [&](std::size_t begin, std::size_t end, int thread) {
    RawExtremes found;
    kernel_.find_extremes(raw_ + begin, target_.data() + begin, end - begin, found);
    RawExtremes& mine = of_thread[static_cast<std::size_t>(thread)];
    mine.greatest_of_0 = std::max(mine.greatest_of_0, found.greatest_of_0);
    mine.least_of_1 = std::min(mine.least_of_1, found.least_of_1);
    mine.least = std::min(mine.least, found.least);
    mine.greatest = std::max(mine.greatest, found.greatest);
  });
  RawExtremes all;
  for (const RawExtremes& found : of_thread) {
    all.greatest_of_0 = std::max(all.greatest_of_0, found.greatest_of_0);
    all.least_of_1 = std::min(all.least_of_1, found.least_of_1);
    all.least = std::min(all.least, found.least);
    all.greatest = std::max(all.greatest, found.greatest);
  }
  // A class without rows has an extreme that makes its |g| 0. The last two are for h alone.
  const std::array<std::int64_t, 4> raw{all.greatest_of_0, all.least_of_1,
                                        static_cast<std::int64_t>(all.least),
                                        static_cast<std::int64_t>(all.greatest)};
  const std::array<double, 4> target{0, 1, 0, 0};
  LossInput from = input(0);
  from.raw = raw.data();
  from.target = target.data();
  GradientBlock block;
  kernel_.derivatives(from, 0, raw.size(), block);
  return {std::max(std::abs(block.g[0]), std::abs(block.g[1])), std::max(block.h[2], block.h[3])};
}

void GradientMaker::find_maxima() {
  const std::size_t n_rows = target_.size();
  const auto n_outputs = static_cast<std::size_t>(n_outputs_);
  std::vector<Maxima> of_thread(n_outputs * static_cast<std::size_t>(pool_.n_threads()));
  pool_.for_chunks(n_rows, kChunk, [&](std::size_t begin, std::size_t end, int thread) {
    if (!probability_.empty()) {
      for (std::size_t at = begin; at < end; at += kGradientBlock) {
        kernel_.softmax(n_outputs_, n_rows, raw_quantum_, raw_ + at,
                        std::min(kGradientBlock, end - at), probability_.data() + at);
      }
    }
    for (std::size_t k = 0; k < n_outputs; ++k) {
      const Maxima found = maxima_of(static_cast<int>(k), begin, end);
      Maxima& mine = of_thread[static_cast<std::size_t>(thread) * n_outputs + k];
      mine.g = std::max(mine.g, found.g);
      mine.h = std::max(mine.h, found.h);
      mine.is_finite &= found.is_finite;
    }
  });
  for (std::size_t k = 0; k < n_outputs; ++k) {
    maxima_[k] = {};
    for (std::size_t at = k; at < of_thread.size(); at += n_outputs) {
      maxima_[k].is_finite &= of_thread[at].is_finite;
      maxima_[k].g = std::max(maxima_[k].g, of_thread[at].g);
      maxima_[k].h = std::max(maxima_[k].h, of_thread[at].h);
    }
  }
}

// What is not finite may be no number, which has no order.
void GradientMaker::agree_on_maxima() {
  std::vector<double> values;
  for (const Maxima& found : maxima_) {
    values.push_back(found.is_finite ? found.g : 0);
    values.push_back(found.is_finite ? found.h : 0);
    values.push_back(found.is_finite ? 0 : 1);
  }
  peers_.max(values);
  for (std::size_t k = 0; k < maxima_.size(); ++k) {
    maxima_[k] = {values[3 * k], values[3 * k + 1], values[3 * k + 2] == 0};
  }
  for (const Maxima& found : maxima_) {
    if (!found.is_finite) report_not_finite();
  }
}

void GradientMaker::report_not_finite() const {
  struct NotFinite {
    RowIndex row = 0;
    double target = 0, weight = 0;
  };
  std::optional<NotFinite> first;
  for (std::size_t row = 0; row < target_.size() && !first; ++row) {
    for (int k = 0; k < n_outputs_ && !first; ++k) {
      if (maxima_of(k, row, row + 1).is_finite) continue;
      const auto position = static_cast<RowIndex>(row);
      first = {rows_.first + position, target_[row], rows_.weight_of(position)};
    }
  }
  ByteWriter writer;
  if (first) writer.put(*first);
  first.reset();
  for (const Bytes& bytes : peers_.all_gather(writer.bytes())) {
    if (bytes.empty()) continue;
    const auto found = ByteReader(bytes).get<NotFinite>();
    if (!first || found.row < first->row) first = found;
  }
  require(first.has_value(), "a derivative that is not finite is one of a row");
  throw Error(ErrorKind::kData,
              format("the gradient of training row {} is not finite (target {}, weight {})",
                     first->row, print_double(first->target), print_double(first->weight)),
              {}, "Check the target and the weights for very great numbers.");
}

std::size_t GradientMaker::fill_packed(const LossInput& from, const PackScale& scale) {
  std::vector<Counter> n_few(static_cast<std::size_t>(pool_.n_threads()));
  pool_.for_chunks(target_.size(), kChunk, [&](std::size_t begin, std::size_t end, int thread) {
    GradientBlock block;
    std::size_t n_found = 0;
    for (std::size_t at = begin; at < end; at += kGradientBlock) {
      const std::size_t n = std::min(kGradientBlock, end - at);
      kernel_.derivatives(from, at, n, block);
      const double* weight = from.weight == nullptr ? nullptr : from.weight + at;
      n_found += kernel_.pack(block, weight, scale, n, packed_.data() + at);
    }
    n_few[static_cast<std::size_t>(thread)].value += n_found;
  });
  std::size_t sum = 0;
  for (const Counter& counter : n_few) sum += counter.value;
  return static_cast<std::size_t>(peers_.sum(static_cast<std::int64_t>(sum)));
}

void GradientMaker::fill_wide(const LossInput& from, double g_scale, double h_scale) {
  wide_.resize(target_.size());
  pool_.for_chunks(target_.size(), kChunk, [&](std::size_t begin, std::size_t end, int) {
    GradientBlock block;
    for (std::size_t at = begin; at < end; at += kGradientBlock) {
      const std::size_t n = std::min(kGradientBlock, end - at);
      kernel_.derivatives(from, at, n, block);
      for (std::size_t i = 0; i < n; ++i) {
        const bool has_weight = from.weight == nullptr || from.weight[at + i] != 0;
        const std::int64_t h =
            h_is_count_ ? 1 : std::max<std::int64_t>(to_nearest(block.h[i] * h_scale), has_weight);
        wide_[at + i] = {to_nearest(block.g[i] * g_scale), h};
      }
    }
  });
}

QuantisedGradients GradientMaker::quantise(int output) {
  const LossInput from = input(output);
  const Maxima& greatest = maxima_[static_cast<std::size_t>(output)];
  QuantisedGradients result;
  result.h_is_count = h_is_count_;
  const auto set_scales = [&](int g_bits, int h_bits) {
    const double g_scale = scale_of(greatest.g, g_bits);
    const double h_scale = h_is_count_ ? 1 : scale_of(greatest.h, h_bits);
    result.g_quantum = 1 / g_scale;
    result.h_quantum = 1 / h_scale;
    return std::pair(g_scale, h_scale);
  };
  if (precision_ != Precision::kWide) {
    const auto [g_scale, h_scale] = set_scales(kPackedGBits - 1, kPackedHBits);
    const std::size_t n_few = fill_packed(from, {g_scale, h_scale, h_is_count_});
    if (precision_ == Precision::kPacked || greatest.g < kTiny ||
        n_few * kMaxShareOfFew <= n_weighted_) {
      result.packed = packed_.data();
      return result;
    }
  }
  const int bits = std::min(52, 62 - static_cast<int>(std::bit_width(n_all_ - 1)));
  const auto [g_scale, h_scale] = set_scales(bits, bits);
  fill_wide(from, g_scale, h_scale);
  result.wide = wide_.data();
  return result;
}

}  // namespace orchard::learn::boosting
