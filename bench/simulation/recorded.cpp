#include "recorded.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::bench {

std::vector<Recorded> read_recorded(const std::string& path) {
  std::ifstream file(path);
  std::vector<Recorded> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    Recorded one;
    std::istringstream fields(line);
    if (!(fields >> one.cost >> one.n_units >> one.fit_s >> one.score_s >> one.result_bytes) ||
        one.n_units < 1) {
      throw Error(ErrorKind::kData, format("'{}' is no recorded task", escape(line)), path);
    }
    all.push_back(one);
  }
  if (all.empty()) throw Error(ErrorKind::kData, "no recorded task", path);
  return all;
}

RecordedRunner::RecordedRunner(const Recorded& recorded, std::vector<model::Unit> units,
                               double speed, double slice_s, parallel::Pool& pool, Waits& waits)
    : recorded_(recorded),
      units_(std::move(units)),
      speed_(speed),
      slice_s_(slice_s),
      pool_(pool),
      waits_(waits) {
  if (waits_.idle_from_s < 0) return;
  const double waited_s = monotonic_s() - waits_.idle_from_s;
  ++waits_.n;
  waits_.all_s += waited_s;
  waits_.longest_s = std::max(waits_.longest_s, waited_s);
}

RecordedRunner::~RecordedRunner() { waits_.idle_from_s = monotonic_s(); }

bool RecordedRunner::is_done() const {
  return units_.size() == static_cast<std::size_t>(recorded_.n_units);
}

void RecordedRunner::step() {
  pass(recorded_.fit_s / recorded_.n_units / speed_);
  units_.emplace_back();
}

search::TaskResult RecordedRunner::result() {
  pass(recorded_.score_s);
  search::TaskResult result;
  result.scores.resize(recorded_.result_bytes / sizeof(double));
  return result;
}

void RecordedRunner::pass(double seconds) {
  pool_.poll();
  left_s_ += seconds;
  while (left_s_ > 0) {
    const double begin_s = monotonic_s();
    sleep_s(std::min(left_s_, slice_s_));
    left_s_ -= monotonic_s() - begin_s;
    pool_.poll();
  }
}

}  // namespace orchard::bench
