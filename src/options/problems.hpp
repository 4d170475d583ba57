#pragma once

#include <string>
#include <vector>

namespace orchard::options {

/// Where a line of a job stands: in the file, in a variable, or on the command line.
struct Place {
  std::string where;  ///< "jobs/x.cfg:12", "ORCHARD_CV__N_SPLITS", "--cv.n_splits"
  int order = 0;      ///< messages are sorted by it; a file's lines count from 1
};
inline constexpr int kWholeFile = 1 << 28;
inline constexpr int kEnvironment = 1 << 29;
inline constexpr int kCommandLine = 1 << 30;

/// Collects everything that is wrong with a job, to be told in one go.
class Problems {
 public:
  /// The same text at the same place is told once.
  void add(const Place& place, const std::string& text);
  bool is_empty() const { return problems_.empty(); }
  /// Throws one kUsage error with one line a problem, in the order of the places.
  void throw_if_any() const;

 private:
  struct Problem {
    Place place;
    std::string text;
  };
  std::vector<Problem> problems_;
  bool has_more_ = false;  // past the most that are kept
};

}  // namespace orchard::options
