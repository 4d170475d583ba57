#include <algorithm>
#include <set>

#include "orchard/base/text.hpp"
#include "read_job.hpp"
#include "suggest.hpp"
#include "value.hpp"

namespace orchard::options {
namespace {

/// A line of a sub-grid, perhaps copied by `like` or taken from [estimator].
struct GridLine {
  const Written* line;
  const Section* written_in;
};

class GridReader {
 public:
  GridReader(const Document& document, Job& job, std::vector<Job::Resolved>& resolved,
             Problems& problems)
      : document_(document), job_(job), resolved_(resolved), problems_(problems) {}

  void read_all() {
    for (const auto& section : document_.sections) {
      if (section.family == "grid") read(section);
    }
    check_shared_lines();
    check_tasks();
    check_total();
  }

 private:
  void read(const Section& section);
  const Section* find_base(const Section& section, std::vector<std::string>& chain);
  std::optional<std::vector<GridLine>> flatten(const Section& section,
                                               std::vector<std::string>& chain);
  std::optional<Estimator> read_estimator(const Section& section,
                                          const std::vector<GridLine>& lines);
  void append_shared(Estimator estimator, std::vector<GridLine>& lines);
  void read_axis_line(const GridLine& from, const Section& section, Estimator estimator,
                      SubGrid& grid);
  void record(const Section& section, const SubGrid& grid, const std::vector<GridLine>& lines);
  void check_grid(const Section& section, const SubGrid& grid);
  void check_shared_lines();
  void check_tasks();
  void check_total();

  const Document& document_;
  Job& job_;
  std::vector<Job::Resolved>& resolved_;
  Problems& problems_;
  std::set<Estimator> estimators_;
  bool has_unknown_estimator_ = false;
};

std::string base_name(const std::string& section) { return section.substr(section.find('.') + 1); }

/// The section that `section` is like; nullptr, reported, when there is none or `like` goes round.
const Section* GridReader::find_base(const Section& section, std::vector<std::string>& chain) {
  const auto* like = section.find("like");
  const auto reading = read_option(*find_option("grid", "like"), like->value);
  for (const auto& problem : reading.problems) problems_.add(like->place, problem);
  if (!reading.problems.empty()) return nullptr;
  const auto& name = std::get<std::string>(reading.values.at(0));
  const auto* base = document_.find("grid." + name);
  if (base == nullptr) {
    std::vector<std::string> names;
    for (const auto& each : document_.sections) {
      if (each.family == "grid" && &each != &section) names.push_back(base_name(each.name));
    }
    const auto hint = did_you_mean(name, names);
    problems_.add(like->place, format("like = {}: there is no section [grid.{}].{}{}", name, name,
                                      hint.empty() ? "" : " ", hint));
    return nullptr;
  }
  if (std::find(chain.begin(), chain.end(), name) == chain.end()) return base;
  if (name == chain.front()) {  // else a member of the circle reports it
    chain.push_back(name);
    problems_.add(document_.place_of("grid." + name, "like"),
                  format("like goes round in a circle: {}.", join(chain, " -> ")));
  }
  return nullptr;
}

/// Lines of the section over those it is like; nothing after an error in the chain.
std::optional<std::vector<GridLine>> GridReader::flatten(const Section& section,
                                                         std::vector<std::string>& chain) {
  std::vector<GridLine> lines;
  chain.push_back(base_name(section.name));
  if (section.find("like") != nullptr) {
    const auto* base = find_base(section, chain);
    auto base_lines = base != nullptr ? flatten(*base, chain) : std::nullopt;
    if (!base_lines) return std::nullopt;
    lines = std::move(*base_lines);
  }
  for (const auto& line : section.lines) {
    if (line.key == "like") continue;
    const auto at = std::find_if(lines.begin(), lines.end(), [&](const GridLine& known) {
      return known.line->key == line.key;
    });
    if (at != lines.end()) {
      *at = {&line, &section};
    } else {
      lines.push_back({&line, &section});
    }
  }
  return lines;
}

std::optional<Estimator> GridReader::read_estimator(const Section& section,
                                                    const std::vector<GridLine>& lines) {
  const auto* row = find_option("grid", "estimator");
  for (const auto& [line, written_in] : lines) {
    if (line->key != "estimator") continue;
    const auto reading = read_option(*row, line->value);
    for (const auto& problem : reading.problems) problems_.add(line->place, problem);
    if (!reading.problems.empty()) return std::nullopt;
    return find_estimator(std::get<std::string>(reading.values.at(0)));
  }
  const auto& broken = section.broken_keys;
  if (std::find(broken.begin(), broken.end(), "estimator") == broken.end()) {
    problems_.add(section.place, format("[{}] lacks 'estimator'; expected one of {}.", section.name,
                                        join(row->accepts.words, ", ")));
  }
  return std::nullopt;
}

void GridReader::read_axis_line(const GridLine& from, const Section& section, Estimator estimator,
                                SubGrid& grid) {
  const auto& line = *from.line;
  const bool is_copied = from.written_in != &section;
  const auto* row = find_param(estimator, line.key);
  const std::string suffix =
      is_copied ? format(" ([{}] takes this line over.)", section.name) : std::string();
  if (row == nullptr) {
    problems_.add(line.place,
                  explain_unknown_key("grid", section.name, line.key, estimator) + suffix);
    return;
  }
  auto reading = read_axis(*row, line.value);
  for (const auto& problem : reading.problems) problems_.add(line.place, problem);
  for (const auto& note : reading.notes) {
    const auto text = line.place.where + ": " + note;
    auto& notes = job_.notes;
    if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
  }
  if (reading.problems.empty()) grid.axes.push_back({line.key, std::move(reading.values)});
}

/// Lines of [estimator] for parameters that the learner has and the sub-grid does not set.
void GridReader::append_shared(Estimator estimator, std::vector<GridLine>& lines) {
  const auto* shared = document_.find("estimator");
  if (shared == nullptr) return;
  for (const auto& line : shared->lines) {
    const bool is_own = std::any_of(lines.begin(), lines.end(),
                                    [&](const GridLine& own) { return own.line->key == line.key; });
    if (!is_own && find_param(estimator, line.key) != nullptr) lines.push_back({&line, shared});
  }
}

void GridReader::read(const Section& section) {
  std::vector<std::string> chain;
  auto lines = flatten(section, chain);
  if (!lines) {
    has_unknown_estimator_ = true;
    return;
  }
  const auto estimator = read_estimator(section, *lines);
  if (!estimator) {
    has_unknown_estimator_ = true;
    const auto known = names_in("grid");
    for (const auto& [line, written_in] : *lines) {
      if (std::find(known.begin(), known.end(), line->key) == known.end()) {
        problems_.add(line->place, explain_unknown_key("grid", section.name, line->key));
      }
    }
    return;
  }
  estimators_.insert(*estimator);
  append_shared(*estimator, *lines);
  SubGrid grid;
  grid.name = base_name(section.name);
  grid.estimator = *estimator;
  for (const auto& line : *lines) {
    if (line.line->key != "estimator") read_axis_line(line, section, *estimator, grid);
  }
  check_grid(section, grid);
  record(section, grid, *lines);
  job_.grids.push_back(std::move(grid));
}

void GridReader::record(const Section& section, const SubGrid& grid,
                        const std::vector<GridLine>& lines) {
  const auto origin_of = [&](const std::string& key) -> std::string {
    for (const auto& [line, written_in] : lines) {
      if (line->key == key) return line->origin;
    }
    return "default";
  };
  const auto add = [&](const std::string& key, const std::string& value) {
    resolved_.push_back({section.name + "." + key, value, origin_of(key), true});
  };
  add("estimator", name_of(grid.estimator));
  for (const auto& axis : grid.axes) add(axis.param, print_values(axis.values));
  for (const auto* row : params_of(grid.estimator)) {
    const bool is_axis = std::any_of(grid.axes.begin(), grid.axes.end(),
                                     [&](const auto& axis) { return axis.param == row->name; });
    if (!is_axis) add(row->name, print_values(row->default_values));
  }
}

void GridReader::check_grid(const Section& section, const SubGrid& grid) {
  if (!count_points(grid)) {
    std::vector<std::string> factors;
    double product = 1;
    for (const auto& axis : grid.axes) {
      factors.push_back(format("{} {}", axis.param, axis.values.size()));
      product *= static_cast<double>(axis.values.size());
    }
    problems_.add(section.place,
                  format("[{}] spans {} points ({}); the limit is {}.", section.name,
                         product < 1e15 ? format("{:.0f}", product) : print_double(product),
                         join(factors, " x "), kMaxGridPoints));
  }
  bool has_no_bootstrap = false, has_max_samples = false;
  for (const auto& axis : grid.axes) {
    for (const auto& value : axis.values) {
      has_no_bootstrap |= axis.param == "bootstrap" && value == ParamValue(false);
      has_max_samples |= axis.param == "max_samples" && value != ParamValue();
    }
  }
  if (has_no_bootstrap && has_max_samples) {
    problems_.add(document_.place_of(section.name, "max_samples"), kMaxSamplesNeedsBootstrap);
  }
}

/// A line of [estimator] that no sub-grid's learner has would be ignored in silence.
void GridReader::check_shared_lines() {
  const auto* shared = document_.find("estimator");
  if (shared == nullptr || has_unknown_estimator_ || estimators_.empty()) return;
  for (const auto& line : shared->lines) {
    const bool is_used = std::any_of(estimators_.begin(), estimators_.end(), [&](Estimator each) {
      return find_param(each, line.key) != nullptr;
    });
    if (!is_used) {
      problems_.add(line.place, format("'{}' is not a parameter of any sub-grid's estimator ({}).",
                                       line.key, name_of(*estimators_.begin())));
    }
  }
}

void GridReader::check_tasks() {
  if (job_.grids.empty()) return;
  const auto& first = job_.grids.front();
  for (const auto& grid : job_.grids) {
    if (task_of(grid.estimator) == task_of(first.estimator)) continue;
    problems_.add(document_.place_of("grid." + grid.name, "estimator"),
                  format("{} in [grid.{}] and {} in [grid.{}] cannot share a job: one predicts "
                         "classes, the other values.",
                         name_of(grid.estimator), grid.name, name_of(first.estimator), first.name));
    return;
  }
}

void GridReader::check_total() {
  std::uint64_t total = 0;
  for (const auto& grid : job_.grids) {
    const auto n = count_points(grid);
    if (!n) return;
    total += *n;
  }
  if (total > kMaxGridPoints) {
    problems_.add(
        {document_.path, kWholeFile},
        format("the sub-grids span {} points together; the limit is {}.", total, kMaxGridPoints));
  }
}

}  // namespace

std::optional<std::uint64_t> count_points(const SubGrid& grid) {
  std::uint64_t n = 1;
  for (const auto& axis : grid.axes) {
    n *= axis.values.size();  // at most a million times the length of one axis: no overflow
    if (n > kMaxGridPoints) return std::nullopt;
  }
  return n;
}

void read_grids(const Document& document, Job& job, std::vector<Job::Resolved>& resolved,
                Problems& problems) {
  GridReader(document, job, resolved, problems).read_all();
}

}  // namespace orchard::options
