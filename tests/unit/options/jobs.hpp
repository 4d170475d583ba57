#pragma once
// Small jobs for the tests.

#include <string>
#include <utility>
#include <vector>

#include "orchard/base/error.hpp"
#include "orchard/options/parse.hpp"

namespace orchard::options::testing {

using Overrides = std::vector<CommandLine::Override>;
using Environment = std::vector<std::pair<std::string, std::string>>;

inline Job parse(const std::string& text, Command command = Command::kSearch,
                 const Overrides& overrides = {}, const Environment& environment = {}) {
  return parse_job(command, "a.cfg", text, overrides, environment);
}

/// What parse_job complains about, or "" when it does not.
inline std::string complaint(const std::string& text, Command command = Command::kSearch,
                             const Overrides& overrides = {}, const Environment& environment = {}) {
  try {
    parse(text, command, overrides, environment);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kUsage ? error.what() : "wrong kind of error";
  }
  return {};
}

/// Lines 1 to 3 of most jobs here.
inline const std::string kData = "[data]\ntrain = a.csv\ntarget = y\n";
/// Lines 4 and 5.
inline const std::string kForest = "[grid.a]\nestimator = RandomForestClassifier\n";
inline const std::string kBoosting = "[grid.a]\nestimator = HistGradientBoostingClassifier\n";

inline std::string forest_with(const std::string& lines) { return kData + kForest + lines + "\n"; }
inline std::string boosting_with(const std::string& lines) {
  return kData + kBoosting + lines + "\n";
}

/// The resolved value of a key, or "no such key".
inline std::string value_of(const Job& job, const std::string& key) {
  for (const auto& each : job.resolved) {
    if (each.key == key) return each.value;
  }
  return "no such key";
}
inline std::string origin_of(const Job& job, const std::string& key) {
  for (const auto& each : job.resolved) {
    if (each.key == key) return each.origin;
  }
  return "no such key";
}

}  // namespace orchard::options::testing
