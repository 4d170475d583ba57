#pragma once
// How a value that was read gets into its struct member. A table row names the member once.

#include <functional>

#include "orchard/base/error.hpp"

#include "orchard/options/job.hpp"

namespace orchard::options {

/// The values of one option: one, or several for a list.
using Values = std::vector<ParamValue>;

/// What a row may write to; the pointer that its section needs is set.
struct Destination {
  Job* job = nullptr;
  ModelSection* model = nullptr;
  LearnerSettings* learner = nullptr;
};

using Store = std::function<void(const Destination&, const Values&)>;

/// Each converts a value that its row accepts; throws kInternal for any other. `none` makes a text
/// empty and an optional unset; `auto` unsets an optional too.
void assign(bool& to, const ParamValue& value);
void assign(std::int64_t& to, const ParamValue& value);
void assign(std::uint64_t& to, const ParamValue& value);
void assign(double& to, const ParamValue& value);
void assign(std::string& to, const ParamValue& value);
void assign(CountOrFraction& to, const ParamValue& value);
void assign(MaxFeatures& to, const ParamValue& value);
void assign(Splitter& to, const ParamValue& value);
void assign(Layout& to, const ParamValue& value);
void assign(BindTo& to, const ParamValue& value);
void assign(Method& to, const ParamValue& value);
void assign(Criterion& to, const ParamValue& value);
void assign(ClassWeight& to, const ParamValue& value);
void assign(EarlyStopping& to, const ParamValue& value);

template <class T>
void assign(std::optional<T>& to, const ParamValue& value) {
  const auto* word = std::get_if<std::string>(&value);
  to.reset();
  if (std::holds_alternative<std::monostate>(value) || (word != nullptr && *word == "auto")) return;
  assign(to.emplace(), value);
}

template <class T>
void assign(T& to, const Values& values) {
  require(values.size() == 1, "an option that is no list has one value");
  assign(to, values.front());
}
inline void assign(std::vector<std::string>& to, const Values& values) {
  to.clear();
  for (const auto& value : values) {
    if (!std::holds_alternative<std::monostate>(value)) assign(to.emplace_back(), value);
  }
}

/// Rows name their member by one of these.
template <class Part, class T>
Store into(Part Job::*part, T Part::*member) {
  return
      [=](const Destination& to, const Values& values) { assign(to.job->*part.*member, values); };
}
/// The same for a text in which the word `none` stays a word.
template <class Part>
Store into_word(Part Job::*part, std::string Part::*member) {
  return [=](const Destination& to, const Values& values) {
    assign(to.job->*part.*member, values);
    if ((to.job->*part.*member).empty()) to.job->*part.*member = "none";
  };
}
template <class T>
Store into(T ModelSection::*member) {
  return [=](const Destination& to, const Values& values) { assign(to.model->*member, values); };
}
template <class T>
Store into(T ForestSettings::*member) {
  return [=](const Destination& to, const Values& values) {
    assign(std::get<ForestSettings>(*to.learner).*member, values);
  };
}
template <class T>
Store into(T BoostingSettings::*member) {
  return [=](const Destination& to, const Values& values) {
    assign(std::get<BoostingSettings>(*to.learner).*member, values);
  };
}

}  // namespace orchard::options
