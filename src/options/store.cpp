#include "store.hpp"

#include <span>
#include <utility>

namespace orchard::options {
namespace {

template <class T>
const T& get(const ParamValue& value) {
  require(std::holds_alternative<T>(value), "a value has the type that its option accepts");
  return std::get<T>(value);
}

template <class E>
using Words = std::initializer_list<std::pair<const char*, E>>;

template <class E>
void assign_word(E& to, const ParamValue& value, Words<E> words) {
  const auto& word = get<std::string>(value);
  for (const auto& [name, meaning] : words) {
    if (word == name) {
      to = meaning;
      return;
    }
  }
  require(false, "a word has a meaning");
}

}  // namespace

void assign(bool& to, const ParamValue& value) { to = get<bool>(value); }

void assign(std::int64_t& to, const ParamValue& value) { to = get<std::int64_t>(value); }

void assign(std::uint64_t& to, const ParamValue& value) {
  to = static_cast<std::uint64_t>(get<std::int64_t>(value));
}

void assign(double& to, const ParamValue& value) { to = get<double>(value); }

void assign(std::string& to, const ParamValue& value) {
  to = std::holds_alternative<std::monostate>(value) ? std::string() : get<std::string>(value);
}

void assign(CountOrFraction& to, const ParamValue& value) {
  if (std::holds_alternative<std::int64_t>(value)) {
    to = std::get<std::int64_t>(value);
  } else {
    to = get<double>(value);
  }
}

void assign(MaxFeatures& to, const ParamValue& value) {
  to = {};
  if (std::holds_alternative<std::monostate>(value) || value == ParamValue(1.0)) {
    to.rule = MaxFeatures::Rule::kAll;
  } else if (std::holds_alternative<std::string>(value)) {
    assign_word(to.rule, value,
                {{"sqrt", MaxFeatures::Rule::kSqrt}, {"log2", MaxFeatures::Rule::kLog2}});
  } else {
    to.rule = MaxFeatures::Rule::kCountOrFraction;
    assign(to.value, value);
  }
}

void assign(Splitter& to, const ParamValue& value) {
  assign_word(to, value,
              {{"KFold", Splitter::kKFold},
               {"StratifiedKFold", Splitter::kStratifiedKFold},
               {"PredefinedSplit", Splitter::kPredefinedSplit}});
}

void assign(Layout& to, const ParamValue& value) {
  assign_word(to, value,
              {{"auto", Layout::kAuto},
               {"replicated", Layout::kReplicated},
               {"rows", Layout::kRows},
               {"trees", Layout::kTrees}});
}

void assign(BindTo& to, const ParamValue& value) {
  to = BindTo::kNone;
  if (std::holds_alternative<std::monostate>(value)) return;
  assign_word(to, value, {{"numa", BindTo::kNuma}});
}

void assign(Method& to, const ParamValue& value) {
  assign_word(to, value, {{"predict", Method::kPredict}, {"predict_proba", Method::kPredictProba}});
}

void assign(Criterion& to, const ParamValue& value) {
  assign_word(to, value,
              {{"gini", Criterion::kGini},
               {"entropy", Criterion::kEntropy},
               {"log_loss", Criterion::kEntropy},
               {"squared_error", Criterion::kSquaredError},
               {"friedman_mse", Criterion::kSquaredError}});
}

void assign(ClassWeight& to, const ParamValue& value) {
  to = ClassWeight::kNone;
  if (std::holds_alternative<std::monostate>(value)) return;
  assign_word(to, value,
              {{"balanced", ClassWeight::kBalanced},
               {"balanced_subsample", ClassWeight::kBalancedSubsample}});
}

void assign(EarlyStopping& to, const ParamValue& value) {
  if (std::holds_alternative<bool>(value)) {
    to = std::get<bool>(value) ? EarlyStopping::kOn : EarlyStopping::kOff;
  } else {
    assign_word(to, value, {{"auto", EarlyStopping::kAuto}});
  }
}

}  // namespace orchard::options
