#include "orchard/metric/scorer.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "judge.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::metric {
namespace {

using Judge = Score (*)(const Truth&, Predictions);

struct Scorer {
  const char* name;
  Task task;
  Judge judge;
};

constexpr std::array kScorers{
    Scorer{"accuracy", Task::kClassification, accuracy},
    Scorer{"balanced_accuracy", Task::kClassification, balanced_accuracy},
    Scorer{"neg_log_loss", Task::kClassification, neg_log_loss},
    Scorer{"roc_auc", Task::kClassification, roc_auc},
    Scorer{"roc_auc_ovr", Task::kClassification, roc_auc_ovr},
    Scorer{"r2", Task::kRegression, r2},
    Scorer{"neg_root_mean_squared_error", Task::kRegression, neg_root_mean_squared_error},
    Scorer{"neg_mean_absolute_error", Task::kRegression, neg_mean_absolute_error},
};

/// Faults of the caller throw; nothing here depends on what was predicted.
void check_shapes(const Truth& truth, Predictions predictions) {
  const std::size_t n_rows = truth.target.size();
  const bool is_classification = truth.task == Task::kClassification;
  require(!is_classification || truth.n_classes > 0, "a classification has classes");
  require(predictions.size() == n_rows * (is_classification ? truth.n_classes : 1),
          "one prediction for each row, and class, that is judged");
  require(truth.weight.empty() || truth.weight.size() == n_rows,
          "one weight for each row that is judged");
  if (!is_classification) return;
  const auto n_classes = static_cast<double>(truth.n_classes);
  for (const double target : truth.target) {
    require(target >= 0 && target < n_classes && target == std::floor(target),
            "the target of a classification is a class index");
  }
}

/// Why no scorer can judge these rows, or "".
std::string reason_against(const Truth& truth, Predictions predictions) {
  if (truth.target.empty()) return "there are no test rows";
  ExactSum weights;
  for (const double weight : truth.weight) {
    if (!(weight >= 0) || std::isinf(weight)) {
      return format("a test row has the weight {}; weights are finite and not negative",
                    print_double(weight));
    }
    weights.add(weight);
  }
  if (!truth.weight.empty() && weights.value() == 0) return "every test row has the weight 0";
  if (std::isinf(weights.value())) return "the sum of the weights is beyond the range of double";
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (!std::isfinite(predictions[i])) {
      const std::size_t n_columns = predictions.size() / truth.target.size();
      return format("the prediction for test row {} is {}", i / n_columns,
                    print_double(predictions[i]));
    }
  }
  return {};
}

Score judge_rows(Judge judge, const Truth& truth, Predictions predictions) {
  check_shapes(truth, predictions);
  if (auto reason = reason_against(truth, predictions); !reason.empty()) {
    return undefined(std::move(reason));
  }
  Score score = judge(truth, predictions);
  if (score.reason.empty() && !std::isfinite(score.value)) {
    return undefined("a sum over the test rows is beyond the range of double");
  }
  return score;
}

}  // namespace

Score undefined(std::string reason) {
  return {std::numeric_limits<double>::quiet_NaN(), std::move(reason)};
}

const std::vector<std::string>& scorer_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Scorer& scorer : kScorers) all.emplace_back(scorer.name);
    return all;
  }();
  return names;
}

std::vector<std::string> scorer_names(Task task) {
  std::vector<std::string> names;
  for (const Scorer& scorer : kScorers) {
    if (scorer.task == task) names.emplace_back(scorer.name);
  }
  return names;
}

bool judges(const std::string& scorer, Task task) {
  for (const Scorer& known : kScorers) {
    if (scorer == known.name) return known.task == task;
  }
  return false;
}

Score score(const std::string& scorer, const Truth& truth, Predictions predictions) {
  for (const Scorer& known : kScorers) {
    if (scorer != known.name) continue;
    require(known.task == truth.task, "a scorer judges the task that it is made for");
    return judge_rows(known.judge, truth, predictions);
  }
  throw Error(ErrorKind::kInternal, "unknown scorer '" + escape(scorer) + "'", {},
              did_you_mean(scorer, scorer_names()));
}

Score negative_loss(const Truth& truth, Predictions predictions) {
  const bool is_classification = truth.task == Task::kClassification;
  return judge_rows(is_classification ? neg_log_loss : neg_half_squared_error, truth, predictions);
}

}  // namespace orchard::metric
