#include "problems.hpp"

#include <algorithm>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::options {

void Problems::add(const Place& place, const std::string& text) {
  constexpr std::size_t kMaxKept = 100;
  for (const auto& known : problems_) {
    if (known.place.where == place.where && known.text == text) return;
  }
  if (problems_.size() < kMaxKept) {
    problems_.push_back({place, text});
  } else {
    has_more_ = true;
  }
}

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  auto sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return a.place.order < b.place.order;
  });
  std::vector<std::string> lines;
  for (const auto& problem : sorted) lines.push_back(problem.place.where + ": " + problem.text);
  if (has_more_) lines.emplace_back("... and more problems of the same job.");
  throw Error(ErrorKind::kUsage, join(lines, "\n"));
}

}  // namespace orchard::options
