#pragma once
// The settings of each learner, with scikit-learn's names, meanings and defaults.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::options {

enum class Estimator : std::uint8_t {
  kRandomForestClassifier = 0,
  kRandomForestRegressor = 1,
  kHistGradientBoostingClassifier = 2,
  kHistGradientBoostingRegressor = 3,
};

std::string name_of(Estimator estimator);
Task task_of(Estimator estimator);
bool is_forest(Estimator estimator);

/// An integer is a count, a real number a fraction of the training rows (or features).
using CountOrFraction = std::variant<std::int64_t, double>;
/// ceil(fraction * n) for a fraction, the count itself otherwise.
std::int64_t resolve_count(const CountOrFraction& value, std::int64_t n);

enum class Criterion : std::uint8_t { kGini, kEntropy, kSquaredError };
enum class ClassWeight : std::uint8_t { kNone, kBalanced, kBalancedSubsample };
enum class EarlyStopping : std::uint8_t { kAuto, kOn, kOff };

struct MaxFeatures {
  enum class Rule : std::uint8_t { kSqrt, kLog2, kAll, kCountOrFraction };
  Rule rule = Rule::kSqrt;
  CountOrFraction value = std::int64_t{1};  ///< for kCountOrFraction; fraction: max(1, floor(f*n))
  /// Number of features tried at a node, in 1 .. n_features.
  std::int64_t resolve(std::int64_t n_features) const;
};

struct ForestSettings {
  std::int64_t n_estimators = 100;
  Criterion criterion = Criterion::kGini;
  std::optional<std::int64_t> max_depth;
  CountOrFraction min_samples_split = std::int64_t{2};
  CountOrFraction min_samples_leaf = std::int64_t{1};
  MaxFeatures max_features;  ///< classifier: sqrt, regressor: all (1.0)
  bool bootstrap = true;
  std::optional<CountOrFraction> max_samples;
  double min_impurity_decrease = 0;
  ClassWeight class_weight = ClassWeight::kNone;
};

struct BoostingSettings {
  std::int64_t max_iter = 100;
  double learning_rate = 0.1;
  std::optional<std::int64_t> max_leaf_nodes = 31;
  std::optional<std::int64_t> max_depth;
  std::int64_t min_samples_leaf = 20;
  double l2_regularization = 0;
  std::int64_t max_bins = 255;
  ClassWeight class_weight = ClassWeight::kNone;
  EarlyStopping early_stopping = EarlyStopping::kAuto;
  std::string scoring = "loss";  ///< "loss" or a scorer, judged on the validation rows
  std::optional<double> validation_fraction = 0.1;  ///< none: the training rows are the judge
  std::int64_t n_iter_no_change = 10;
  double tol = 1e-7;
};

using LearnerSettings = std::variant<ForestSettings, BoostingSettings>;

/// One value of a parameter as written in a job file. monostate is `none`.
using ParamValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
/// Shortest text that reads back as the same value: "none", "true", "8", "0.1", "sqrt".
std::string print_value(const ParamValue& value);
/// Python's spelling: "None", "True", "8", "0.1", "'sqrt'".
std::string print_python(const ParamValue& value);

struct Param {
  std::string name;
  ParamValue value;
  bool operator==(const Param&) const = default;
};

/// Settings of `estimator` with `params` over the defaults. Values were checked by the job file's
/// reader; throws kUsage for what only shows in combination.
LearnerSettings make_settings(Estimator estimator, const std::vector<Param>& params);
/// Every parameter of `estimator` with its value, in table order: `params` over the defaults.
std::vector<Param> resolved_params(Estimator estimator, const std::vector<Param>& params);

}  // namespace orchard::options
