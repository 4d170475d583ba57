#pragma once
// Raw rows as bytes, as the nodes of one model ask of them.
//
// A node compares a byte with its own: a numeric code is the number of the model's thresholds on
// that feature which lie below the value, so `value <= threshold i` exactly when `code <= i`. So
// walking reads a quarter of the memory. Missing is the highest byte, which lies above every limit;
// a node that sends missing left adds 1 to code and limit first, and the byte of missing wraps to
// 0.

#include <array>
#include <optional>
#include <vector>

#include "orchard/model/code_split.hpp"
#include "orchard/model/ensemble.hpp"
#include "orchard/parallel/pool.hpp"
#include "threshold_grid.hpp"

namespace orchard::model {

/// The distinct thresholds of a feature, and their numbers once all are known.
class ThresholdSet {
 public:
  /// False when there are more than ThresholdGrid::kMaxThresholds. `threshold` is finite.
  bool insert(float threshold);
  /// False when there are more than ThresholdGrid::kMaxThresholds in both.
  bool insert(const ThresholdSet& other);
  /// Numbers the thresholds in ascending order and returns them.
  std::vector<float> number();
  Bin number_of(float threshold) const { return numbers_[place_of(threshold)]; }
  bool empty() const { return n_ == 0; }

 private:
  static constexpr std::size_t kPlaces = 1024;
  std::size_t place_of(float threshold) const;

  std::size_t n_ = 0;
  std::vector<float> values_;  ///< [kPlaces], NaN where there is none; or empty
  std::vector<Bin> numbers_;   ///< [kPlaces]
};

/// Immutable once made; owns what it needs. Any number of threads.
class RowCoder {
 public:
  static constexpr Bin kMissing = kMissingCode;
  static constexpr std::size_t kBlock = kCodeBlock;

  /// Nothing when a model asks more than bytes can tell: a feature with more than 254 thresholds or
  /// 224 levels, or more than 65,000 features.
  static std::optional<RowCoder> make(const Ensemble& ensemble, parallel::Pool& pool);

  std::size_t n_columns() const { return n_columns_; }
  /// What an inner node asks.
  CodeSplit split_of(const Tree& tree, std::size_t node) const;

  /// Writes the codes of rows [begin, begin + n_rows), n_rows <= kBlock, to `codes`,
  /// [n_columns][kBlock]. A categorical code is the level, or kMissing when missing or past the
  /// levels that any node knows.
  void encode(const FeatureColumns& data, RowIndex begin, std::size_t n_rows, Bin* codes) const;

 private:
  /// What the nodes of some trees ask of a feature.
  struct Asked {
    ThresholdSet set;
    std::size_t n_levels = 0;  ///< categorical: levels that nodes know
    bool is_used = false;
    bool add(const Asked& other);
  };
  struct Feature : Asked {
    std::optional<ThresholdGrid> grid;  ///< numeric
    std::size_t column = 0;
  };
  static bool collect(const Tree& tree, std::vector<Asked>& features);
  void number_columns();

  std::vector<Feature> features_;
  std::size_t n_columns_ = 0;
};

}  // namespace orchard::model
