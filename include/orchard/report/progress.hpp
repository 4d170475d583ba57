#pragma once

#include <string>

#include "orchard/search/progress.hpp"

namespace orchard::report {

/// Shows a phase's progress on stderr: one live line on a terminal, a line now and then in a batch
/// log. Rank 0 only.
class ProgressLine {
 public:
  /// `verbose` 0 shows nothing.
  ProgressLine(std::string phase, std::int64_t verbose);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const search::Progress& progress);

 private:
  std::string phase_;
  std::int64_t verbose_;
  bool is_terminal_;
  bool has_line_ = false;
  double next_s_ = 0;
};

}  // namespace orchard::report
