// Rows of the learners' parameters. Names, meanings and defaults are scikit-learn's.

#include "row_forms.hpp"

namespace orchard::options {
namespace {

constexpr EstimatorSet kForestClassifier = set_of(Estimator::kRandomForestClassifier);
constexpr EstimatorSet kForestRegressor = set_of(Estimator::kRandomForestRegressor);
constexpr EstimatorSet kBoostingClassifier = set_of(Estimator::kHistGradientBoostingClassifier);
constexpr EstimatorSet kBoostingRegressor = set_of(Estimator::kHistGradientBoostingRegressor);
constexpr EstimatorSet kForest = kForestClassifier | kForestRegressor;
constexpr EstimatorSet kBoosting = kBoostingClassifier | kBoostingRegressor;

constexpr std::int64_t kMaxUnits = 1'000'000;
constexpr std::int64_t kMaxTrees = 65'536;  // integer leaf values are added up
constexpr RealRange kFraction{.min = 0, .max = 1, .is_min_open = true};
constexpr RealRange kProperFraction{.min = 0, .max = 1, .is_min_open = true, .is_max_open = true};
constexpr RealRange kPositive{.min = 0, .is_min_open = true};
constexpr RealRange kNotNegative{.min = 0};

/// What every learner parameter shares.
OptionRow param(EstimatorSet estimators, std::string name, Accepts accepts,
                std::string default_text, Store store, std::string help) {
  return {.section = "grid",
          .name = std::move(name),
          .accepts = std::move(accepts),
          .default_text = std::move(default_text),
          .help = std::move(help),
          .is_axis = true,
          .affects_result = true,
          .commands = kFitting,
          .estimators = estimators,
          .store = std::move(store)};
}

std::vector<OptionRow> forest_shape_rows() {
  using S = ForestSettings;
  return {
      param(kForest, "n_estimators", integer(1, kMaxTrees), "100", into(&S::n_estimators),
            "Number of trees."),
      param(kForestClassifier, "criterion", choice({"gini", "entropy", "log_loss"}), "gini",
            into(&S::criterion), "What a split lowers; log_loss is another name for entropy."),
      param(kForestRegressor, "criterion", choice({"squared_error", "friedman_mse"}),
            "squared_error", into(&S::criterion),
            "What a split lowers; friedman_mse picks the same splits as squared_error."),
      param(kForest, "max_depth", integer(1, kMaxInteger, {"none"}), "none", into(&S::max_depth),
            "Largest depth of a tree; none grows until the other limits stop it."),
      param(kForest, "min_samples_split", count_or_fraction(2, kFraction), "2",
            into(&S::min_samples_split),
            "Fewest rows of a node that is split: an integer counts rows, a real number is a "
            "fraction of the training rows."),
      param(kForest, "min_samples_leaf", count_or_fraction(1, kProperFraction), "1",
            into(&S::min_samples_leaf),
            "Fewest rows of a leaf: an integer counts rows, a real number is a fraction of the "
            "training rows."),
  };
}

std::vector<OptionRow> forest_sampling_rows() {
  using S = ForestSettings;
  const std::string max_features_help =
      "Features tried at a node: an integer counts them, a real number is a fraction; 1 is one "
      "feature, 1.0 and none are all.";
  return {
      param(kForestClassifier, "max_features",
            count_or_fraction(1, kFraction, {"sqrt", "log2", "none"}), "sqrt",
            into(&S::max_features), max_features_help),
      param(kForestRegressor, "max_features",
            count_or_fraction(1, kFraction, {"sqrt", "log2", "none"}), "1.0",
            into(&S::max_features), max_features_help),
      param(kForest, "bootstrap", boolean(), "true", into(&S::bootstrap),
            "Whether each tree sees rows drawn with replacement; false: all rows, once."),
      param(kForest, "max_samples", count_or_fraction(1, kFraction, {"none"}), "none",
            into(&S::max_samples),
            "Rows drawn for each tree: an integer counts them, a real number is a fraction of "
            "the training rows; none draws as many as there are. Needs bootstrap = true."),
      param(kForest, "min_impurity_decrease", real(kNotNegative), "0.0",
            into(&S::min_impurity_decrease),
            "A node is split only if that lowers the impurity, weighted by the node's share of "
            "the rows, by at least this."),
      param(kForestClassifier, "class_weight", choice({"none", "balanced", "balanced_subsample"}),
            "none", into(&S::class_weight),
            "balanced weights classes inversely to their frequency, balanced_subsample does so "
            "by the rows drawn for each tree."),
  };
}

std::vector<OptionRow> boosting_shape_rows() {
  using S = BoostingSettings;
  return {
      param(kBoosting, "max_iter", integer(1, kMaxUnits), "100", into(&S::max_iter),
            "Most boosting rounds: one tree a round, for several classes one a class."),
      param(kBoosting, "learning_rate", real(kPositive), "0.1", into(&S::learning_rate),
            "Factor on the values of the leaves."),
      param(kBoosting, "max_leaf_nodes", integer(2, kMaxInteger, {"none"}), "31",
            into(&S::max_leaf_nodes), "Most leaves of a tree; none sets no limit."),
      param(kBoosting, "max_depth", integer(1, kMaxInteger, {"none"}), "none", into(&S::max_depth),
            "Largest depth of a tree; none sets no limit."),
      param(kBoosting, "min_samples_leaf", integer(1), "20", into(&S::min_samples_leaf),
            "Fewest rows of a leaf."),
      param(kBoosting, "l2_regularization", real(kNotNegative), "0.0", into(&S::l2_regularization),
            "Penalty on the squared values of the leaves."),
      param(kBoosting, "max_bins", integer(2, 255), "255", into(&S::max_bins),
            "Most bins of a feature, without the one for missing values."),
      param(kBoostingClassifier, "class_weight", choice({"none", "balanced"}), "none",
            into(&S::class_weight), "balanced weights classes inversely to their frequency."),
  };
}

std::vector<OptionRow> boosting_stopping_rows() {
  using S = BoostingSettings;
  const std::string scoring_help =
      "Early stopping: what is watched on the validation rows, the loss or a scorer.";
  return {
      param(kBoosting, "early_stopping", choice({"auto", "true", "false"}), "auto",
            into(&S::early_stopping),
            "Whether rounds end when the validation score stops improving; auto: if there are "
            "more than 10000 training rows."),
      param(kBoostingClassifier, "scoring",
            choice(with(scorer_choices(Task::kClassification), "loss")), "loss", into(&S::scoring),
            scoring_help),
      param(kBoostingRegressor, "scoring", choice(with(scorer_choices(Task::kRegression), "loss")),
            "loss", into(&S::scoring), scoring_help),
      param(kBoosting, "validation_fraction", real(kProperFraction, {"none"}), "0.1",
            into(&S::validation_fraction),
            "Early stopping: fraction of the training rows set aside for validation; none "
            "watches the training rows themselves."),
      param(kBoosting, "n_iter_no_change", integer(1, kMaxUnits), "10", into(&S::n_iter_no_change),
            "Early stopping: rounds without improvement after which growing ends."),
      param(kBoosting, "tol", real(kNotNegative), "1e-07", into(&S::tol),
            "Early stopping: the least difference that counts as an improvement."),
  };
}

}  // namespace

std::vector<OptionRow> learner_rows() {
  std::vector<OptionRow> rows;
  for (const auto& part : {forest_shape_rows(), forest_sampling_rows(), boosting_shape_rows(),
                           boosting_stopping_rows()}) {
    rows.insert(rows.end(), part.begin(), part.end());
  }
  return rows;
}

}  // namespace orchard::options
