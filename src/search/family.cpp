#include "orchard/search/family.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "orchard/base/error.hpp"

namespace orchard::search {
namespace {

const std::set<std::string> kNestedInForests = {"n_estimators", "max_depth", "min_samples_split",
                                                "min_impurity_decrease"};
const std::set<std::string> kNestedInBoosting = {"max_iter", "n_iter_no_change", "tol"};

/// Everything that two members of a family must have in common, as text; `free` may differ, too.
std::string shared_part(const Point& point, const std::string& free = {}) {
  const auto& nested = options::is_forest(point.estimator) ? kNestedInForests : kNestedInBoosting;
  std::string key = options::name_of(point.estimator);
  for (const auto& param : options::resolved_params(point.estimator, point.params)) {
    if (!nested.contains(param.name) && param.name != free) {
      key += "\n" + param.name + "=" + options::print_value(param.value);
    }
  }
  return key;
}

bool is_same_cut(const options::ForestSettings& a, const options::ForestSettings& b) {
  return a.max_depth == b.max_depth && a.min_samples_split == b.min_samples_split &&
         a.min_impurity_decrease == b.min_impurity_decrease;
}

template <class T, class Equal>
std::int32_t find_or_add(std::vector<T>& values, const T& value, Equal is_equal) {
  const auto at =
      std::find_if(values.begin(), values.end(), [&](const T& v) { return is_equal(v, value); });
  if (at != values.end()) return static_cast<std::int32_t>(at - values.begin());
  values.push_back(value);
  return static_cast<std::int32_t>(values.size() - 1);
}

bool has_room_for(const Family& family, const Point& point) {
  if (!family.is_forest() || family.cut_settings.size() < learn::kMaxCuts) return true;
  const auto& forest = std::get<options::ForestSettings>(point.settings);
  return std::any_of(family.cut_settings.begin(), family.cut_settings.end(),
                     [&](const auto& cut) { return is_same_cut(cut, forest); });
}

void add_forest_member(Family& family, const Point& point, Member member) {
  const auto& forest = std::get<options::ForestSettings>(point.settings);
  member.cut = find_or_add(family.cut_settings, forest, is_same_cut);
  auto& weakest = std::get<options::ForestSettings>(family.settings);
  weakest.n_estimators = std::max(weakest.n_estimators, forest.n_estimators);
  family.leaf_sizes = {forest.min_samples_leaf};
  family.stages.push_back(forest.n_estimators);
  family.members.push_back(member);
}

void add_boosting_member(Family& family, const Point& point, Member member) {
  const auto& boosting = std::get<options::BoostingSettings>(point.settings);
  member.stage =
      find_or_add(family.boosting_members,
                  learn::BoostingMember{boosting.max_iter, boosting.n_iter_no_change, boosting.tol},
                  [](const auto& a, const auto& b) { return a == b; });
  auto& weakest = std::get<options::BoostingSettings>(family.settings);
  weakest.max_iter = std::max(weakest.max_iter, boosting.max_iter);
  family.members.push_back(member);
}

void number_stages(Family& family, const std::vector<Point>& points) {
  std::sort(family.stages.begin(), family.stages.end());
  family.stages.erase(std::unique(family.stages.begin(), family.stages.end()), family.stages.end());
  for (auto& member : family.members) {
    const auto& settings = points[static_cast<std::size_t>(member.point)].settings;
    const auto n_trees = std::get<options::ForestSettings>(settings).n_estimators;
    const auto at = std::lower_bound(family.stages.begin(), family.stages.end(), n_trees);
    member.stage = static_cast<std::int32_t>(at - family.stages.begin());
  }
}

/// The numbers of the cuts of `from` in `to`; nothing when the two do not have the same cuts.
std::optional<std::vector<std::int32_t>> match_cuts(const Family& from, const Family& to) {
  if (from.cut_settings.size() != to.cut_settings.size()) return std::nullopt;
  std::vector<std::int32_t> numbers;
  for (const auto& cut : from.cut_settings) {
    const auto at = std::find_if(to.cut_settings.begin(), to.cut_settings.end(),
                                 [&](const auto& settings) { return is_same_cut(settings, cut); });
    if (at == to.cut_settings.end()) return std::nullopt;
    numbers.push_back(static_cast<std::int32_t>(at - to.cut_settings.begin()));
  }
  return numbers;
}

/// Moves a forest family into one that differs in nothing but its leaf sizes.
bool join(const Family& from, Family& to) {
  const auto cuts = match_cuts(from, to);
  if (!cuts || from.stages != to.stages || to.leaf_sizes.size() == learn::kMaxLeafSizes) {
    return false;
  }
  for (Member member : from.members) {
    member.cut = (*cuts)[static_cast<std::size_t>(member.cut)];
    member.leaf_size = static_cast<std::int32_t>(to.leaf_sizes.size());
    to.members.push_back(member);
  }
  to.leaf_sizes.push_back(from.leaf_sizes.front());
  return true;
}

/// Brings families together that differ in min_samples_leaf alone, and numbers what is left.
std::vector<Family> join_leaf_sizes(std::vector<Family> families,
                                    const std::vector<Point>& points) {
  std::vector<Family> joined;
  std::map<std::string, std::vector<std::size_t>> by_rest;  // places in `joined`
  for (auto& family : families) {
    const auto& first = points[static_cast<std::size_t>(family.members.front().point)];
    auto& others = by_rest[shared_part(first, "min_samples_leaf")];
    const bool has_joined =
        family.is_forest() && std::any_of(others.begin(), others.end(), [&](std::size_t place) {
          return join(family, joined[place]);
        });
    if (has_joined) continue;
    others.push_back(joined.size());
    family.id = static_cast<std::int32_t>(joined.size());
    joined.push_back(std::move(family));
  }
  for (auto& family : joined) {
    std::sort(family.members.begin(), family.members.end(),
              [](const Member& a, const Member& b) { return a.point < b.point; });
  }
  return joined;
}

}  // namespace

std::int64_t Family::n_units() const {
  return is_forest() ? std::get<options::ForestSettings>(settings).n_estimators
                     : std::get<options::BoostingSettings>(settings).max_iter;
}

int Family::max_bins() const {
  return is_forest() ? 255
                     : static_cast<int>(std::get<options::BoostingSettings>(settings).max_bins);
}

std::vector<Family> make_families(const std::vector<Point>& points, bool share_fits) {
  std::vector<Family> families;
  std::map<std::string, std::size_t> open;  // the family that still takes members, by shared part
  for (const auto& point : points) {
    const auto key = shared_part(point);
    const auto found = open.find(key);
    const bool joins =
        share_fits && found != open.end() && has_room_for(families[found->second], point);
    const std::size_t index = joins ? found->second : families.size();
    if (!joins) {
      Family family;
      family.id = static_cast<std::int32_t>(index);
      family.estimator = point.estimator;
      family.settings = point.settings;
      families.push_back(std::move(family));
      open[key] = index;
    }
    Member member;
    member.point = point.id;
    if (families[index].is_forest()) {
      add_forest_member(families[index], point, member);
    } else {
      add_boosting_member(families[index], point, member);
    }
  }
  for (auto& family : families) {
    if (family.is_forest()) number_stages(family, points);
  }
  return share_fits ? join_leaf_sizes(std::move(families), points) : families;
}

}  // namespace orchard::search
