#include "orchard/search/point.hpp"

#include <algorithm>

namespace orchard::search {
namespace {

void expand_one(const options::SubGrid& grid, std::vector<Point>& points) {
  auto axes = grid.axes;
  std::sort(axes.begin(), axes.end(),
            [](const auto& a, const auto& b) { return a.param < b.param; });
  std::vector<std::size_t> at(axes.size(), 0);
  for (;;) {
    Point point;
    point.id = static_cast<std::int32_t>(points.size());
    point.grid = grid.name;
    point.estimator = grid.estimator;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      point.params.push_back({axes[axis].param, axes[axis].values[at[axis]]});
    }
    point.settings = options::make_settings(grid.estimator, point.params);
    points.push_back(std::move(point));

    std::size_t axis = axes.size();
    while (axis > 0 && ++at[axis - 1] == axes[axis - 1].values.size()) at[--axis] = 0;
    if (axis == 0) return;
  }
}

}  // namespace

std::vector<Point> expand(const std::vector<options::SubGrid>& grids) {
  std::vector<Point> points;
  for (const auto& grid : grids) expand_one(grid, points);
  return points;
}

}  // namespace orchard::search
