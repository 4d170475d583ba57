#pragma once
// A fitted model: what model.h5 holds and `orchard predict` applies.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "orchard/model/schema.hpp"
#include "orchard/model/tree.hpp"

namespace orchard::model {

enum class Combine : std::uint8_t {
  kAverage = 0,  ///< forests: each tree gives a whole value row; the mean is the prediction
  kSum = 1,      ///< boosting: tree i adds to output i % n_outputs; a link gives the prediction
};

struct Ensemble {
  Schema schema;
  std::string estimator;                                    ///< e.g. "RandomForestClassifier"
  std::vector<std::pair<std::string, std::string>> params;  ///< resolved settings, in table order
  Combine combine = Combine::kAverage;
  /// Forest: classes, or 1. Boosting: 1 for two classes and regression, else the classes.
  std::int32_t n_outputs = 1;
  /// A value v in a tree stands for v * 2^value_exponent.
  std::int32_t value_exponent = 0;
  std::vector<std::int64_t> baseline;  ///< [n_outputs], added once (boosting), zeros for forests
  std::vector<Tree> trees;

  /// Width of a value row of each tree: n_outputs for forests, 1 for boosting.
  std::size_t n_values() const {
    return combine == Combine::kAverage ? static_cast<std::size_t>(n_outputs) : 1;
  }
  bool operator==(const Ensemble&) const = default;
  /// Throws kData unless all parts fit together and every tree validates.
  void validate() const;
};

/// Columns of raw features: column f holds float32 values, NaN where missing; a categorical
/// feature's value is its level id in the model's schema, or NaN when missing or unseen.
struct FeatureColumns {
  std::vector<const float*> columns;  ///< [n_features], each with at least n_rows entries; borrowed
  RowIndex n_rows = 0;
};

/// Adds the trees' values for rows [begin, end) to `sums`, shape [end - begin][n_outputs],
/// row-major. Order-free over trees: exact integers. `sums` must start from `baseline`. Local, one
/// thread.
void accumulate(const Ensemble& ensemble, const FeatureColumns& data, RowIndex begin, RowIndex end,
                std::span<std::int64_t> sums);

/// From sums over `n_trees` trees to predictions. Classification: probabilities, out has shape
/// [n_rows][n_classes]; regression: values, out has shape [n_rows]. The same bits wherever it runs.
/// `combine`, `n_outputs` and `value_exponent` as in Ensemble.
struct Link {
  Task task = Task::kClassification;
  Combine combine = Combine::kAverage;
  std::int32_t n_outputs = 1;
  std::int32_t value_exponent = 0;
  std::size_t n_classes = 0;
};
Link link_of(const Ensemble& ensemble);
void predictions_from_sums(const Link& link, std::size_t n_trees,
                           std::span<const std::int64_t> sums, std::span<double> out);

/// Index of the greatest probability; ties go to the lowest class.
std::size_t most_probable(std::span<const double> probabilities);

}  // namespace orchard::model
