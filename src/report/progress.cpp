#include "orchard/report/progress.hpp"

#include <unistd.h>

#include <cstdio>

#include "orchard/base/clock.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/text.hpp"

namespace orchard::report {
namespace {

constexpr double kTerminalEvery_s = 0.25;
constexpr double kBatchEvery_s = 30;

std::string line(const std::string& phase, const search::Progress& progress) {
  std::string text =
      format("{}: {:3.0f} %, {} of {}, {} running, {} elapsed", phase, 100 * progress.fraction,
             progress.n_done, counted(progress.n_tasks, "task"), progress.n_running,
             print_duration(progress.elapsed_s));
  if (progress.fraction > 0.02) {
    const double left_s = progress.elapsed_s * (1 - progress.fraction) / progress.fraction;
    text += format(", about {} left", print_duration(left_s));
  }
  return text;
}

}  // namespace

ProgressLine::ProgressLine(std::string phase, std::int64_t verbose)
    : phase_(std::move(phase)), verbose_(verbose), is_terminal_(isatty(STDERR_FILENO) != 0) {
  next_s_ = monotonic_s() + (is_terminal_ ? kTerminalEvery_s : kBatchEvery_s);
}

ProgressLine::~ProgressLine() {
  if (has_line_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::show(const search::Progress& progress) {
  if (verbose_ == 0) return;
  const double now_s = monotonic_s();
  if (now_s < next_s_) return;
  next_s_ = now_s + (is_terminal_ ? kTerminalEvery_s : kBatchEvery_s);
  if (is_terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s", line(phase_, progress).c_str());
    std::fflush(stderr);
    has_line_ = true;
  } else {
    log::info(line(phase_, progress));
  }
}

}  // namespace orchard::report
