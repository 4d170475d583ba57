#include "forest/targets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::learn {
namespace {

[[noreturn]] void refuse(std::string message) { throw Error(ErrorKind::kData, std::move(message)); }

/// Smallest x with |v| < 2^x for all values; 0 when all are 0.
int exponent_of(std::span<const double> values, const char* name) {
  double greatest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      refuse(format("the {} of training row {} is {}", name, i, print_double(values[i])));
    }
    greatest = std::max(greatest, std::abs(values[i]));
  }
  int exponent = 0;
  if (greatest > 0) std::frexp(greatest, &exponent);
  return exponent;
}

std::int64_t fixed_point(double value, int bits) { return std::llround(std::ldexp(value, bits)); }

void scale_weights(std::span<const double> weights, const data::RowShare& own, int bits,
                   ForestTargets& out) {
  const int exponent = exponent_of(weights, "weight");
  out.has_weights = true;
  // 2^62 for the sum; a weight just under 2^exponent may round up to it.
  out.weight_bits = bits - exponent;
  out.weight.reserve(own.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] < 0) {
      refuse(format("the weight of training row {} is negative: {}", i, print_double(weights[i])));
    }
    const std::int64_t weight = fixed_point(weights[i], out.weight_bits);
    if (i >= own.begin && i < own.end) out.weight.push_back(weight);
    if (weights[i] > 0 && weight == 0) {
      refuse(format("the weight {} of training row {} vanishes beside the greatest weight",
                    print_double(weights[i]), i));
    }
  }
}

void scale_values(std::span<const double> values, const data::RowShare& own, int bits,
                  ForestTargets& out) {
  out.exponent = exponent_of(values, "target");
  // Weighted sums take their resolution from the weights.
  out.value_bits = out.has_weights ? 60 : bits;
  out.value.reserve(own.size());
  for (const double y : values.subspan(own.begin, own.size())) {
    out.value.push_back(fixed_point(y, out.value_bits - out.exponent));
  }
}

/// Returns the rows of each class.
std::vector<std::uint64_t> read_labels(std::span<const double> target, const data::RowShare& own,
                                       ForestTargets& out) {
  std::vector<std::uint64_t> counts(out.n_classes);
  out.label.reserve(own.size());
  for (std::size_t i = 0; i < target.size(); ++i) {
    const double y = target[i];
    if (!(y >= 0 && y < static_cast<double>(out.n_classes) && y == std::floor(y))) {
      refuse(format("the target of training row {} is {}, not the index of one of {} classes", i,
                    print_double(y), out.n_classes));
    }
    const auto label = static_cast<std::uint32_t>(y);
    ++counts[label];
    if (i >= own.begin && i < own.end) out.label.push_back(label);
  }
  return counts;
}

}  // namespace

double ForestTargets::unit_weight() const {
  return has_weights ? std::ldexp(1.0, weight_bits) : 1.0;
}

int ceil_log2(std::uint64_t n) { return static_cast<int>(std::bit_width(n - 1)); }

std::vector<double> balanced_weights(std::span<const std::uint64_t> counts) {
  std::uint64_t n_rows = 0, n_present = 0;
  for (const auto count : counts) {
    n_rows += count;
    n_present += count > 0 ? 1 : 0;
  }
  std::vector<double> weights;
  for (const auto count : counts) {
    const auto shared = static_cast<double>(n_present) * static_cast<double>(count);
    weights.push_back(count > 0 ? static_cast<double>(n_rows) / shared : 0.0);
  }
  return weights;
}

ForestTargets make_targets(const FitContext& context, const options::ForestSettings& settings,
                           std::uint64_t n_draws) {
  const int bits = 62 - ceil_log2(n_draws);
  const data::RowShare& own = context.data.train_share;
  ForestTargets out;
  if (!context.data.weight.empty()) scale_weights(context.data.train_weight(), own, bits, out);
  const auto target = context.data.train_target();
  if (context.schema.task == Task::kRegression) {
    scale_values(target, own, bits, out);
    return out;
  }
  out.n_classes = context.schema.n_classes();
  const auto counts = read_labels(target, own, out);
  if (settings.class_weight == options::ClassWeight::kBalanced) {
    out.class_weight = balanced_weights(counts);
  }
  return out;
}

}  // namespace orchard::learn
