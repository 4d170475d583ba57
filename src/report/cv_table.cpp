#include "orchard/report/cv_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "orchard/base/text.hpp"

namespace orchard::report {
namespace {

using options::Param;
using search::PointResult;
using search::Results;

std::vector<std::string> param_names(const Results& results) {
  std::vector<std::string> names;
  for (const auto& point : results.points) {
    for (const auto& param : point.params) names.push_back(param.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  names.insert(names.begin(), "estimator");
  return names;
}

/// As str() of Python writes it: words without quotes.
std::string plain_value(const options::ParamValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : options::print_python(value);
}

std::string value_of(const PointResult& point, const std::string& name) {
  if (name == "estimator") return options::name_of(point.estimator);
  for (const auto& param : point.params) {
    if (param.name == name) return plain_value(param.value);
  }
  return {};
}

std::string params_dict(const PointResult& point) {
  std::string out = "{'estimator': '" + options::name_of(point.estimator) + "'";
  for (const auto& param : point.params) {
    out += ", '" + param.name + "': " + options::print_python(param.value);
  }
  return out + "}";
}

/// With one scorer the columns say "score", as GridSearchCV's do.
std::string scorer_label(const Results& results, std::size_t scorer) {
  return results.scorers.size() == 1 ? "score" : results.scorers[scorer];
}

std::string print_cell(double value) { return std::isnan(value) ? "" : print_double(value); }

std::vector<std::string> header(const Results& results) {
  std::vector<std::string> cells = {"mean_fit_time", "std_fit_time", "mean_score_time",
                                    "std_score_time"};
  for (const auto& name : param_names(results)) cells.push_back("param_" + name);
  cells.push_back("params");
  for (std::size_t scorer = 0; scorer < results.scorers.size(); ++scorer) {
    const auto label = scorer_label(results, scorer);
    for (int split = 0; split < results.n_splits; ++split) {
      cells.push_back(format("split{}_test_{}", split, label));
    }
    cells.push_back("mean_test_" + label);
    cells.push_back("std_test_" + label);
    cells.push_back("rank_test_" + label);
  }
  return cells;
}

std::vector<std::string> row(const Results& results, std::size_t point) {
  const auto n_splits = static_cast<std::size_t>(results.n_splits);
  std::vector<std::string> cells;
  for (const auto* times : {&results.fit_s, &results.score_s}) {
    const auto [mean, deviation] =
        search::mean_and_std(std::span(*times).subspan(point * n_splits, n_splits));
    cells.push_back(print_double(mean));
    cells.push_back(print_double(deviation));
  }
  const auto& of_point = results.points[point];
  for (const auto& name : param_names(results)) cells.push_back(value_of(of_point, name));
  cells.push_back(params_dict(of_point));
  for (std::size_t scorer = 0; scorer < results.scorers.size(); ++scorer) {
    const auto at = point * results.scorers.size() + scorer;
    for (std::size_t split = 0; split < n_splits; ++split) {
      cells.push_back(print_cell(results.split_scores[at * n_splits + split]));
    }
    cells.push_back(print_cell(results.mean_scores[at]));
    cells.push_back(print_cell(results.std_scores[at]));
    cells.push_back(format("{}", results.ranks[at]));
  }
  return cells;
}

void append_line(std::string& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    out += csv_field(cells[i]);
  }
  out += '\n';
}

std::string short_params(const PointResult& point) {
  std::vector<std::string> parts;
  for (const auto& param : point.params)
    parts.push_back(param.name + "=" + plain_value(param.value));
  return join(parts, " ");
}

}  // namespace

std::string cv_results_csv(const Results& results) {
  std::string out;
  append_line(out, header(results));
  for (std::size_t point = 0; point < results.points.size(); ++point) {
    append_line(out, row(results, point));
  }
  return out;
}

bool is_timing_column(const std::string& column) {
  return column == "mean_fit_time" || column == "std_fit_time" || column == "mean_score_time" ||
         column == "std_score_time";
}

std::string ranking_table(const Results& results, std::size_t max_points) {
  const std::size_t n_scorers = results.scorers.size();
  const auto found = std::find(results.scorers.begin(), results.scorers.end(), results.refit);
  const auto by = found == results.scorers.end()
                      ? 0
                      : static_cast<std::size_t>(found - results.scorers.begin());
  std::vector<std::size_t> order(results.points.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return results.ranks[a * n_scorers + by] < results.ranks[b * n_scorers + by];
  });

  std::string out = " rank";
  for (const auto& scorer : results.scorers) {
    const auto width = std::max<std::size_t>(20, scorer.size());
    out += format("  {:>{}}", scorer, width);
  }
  out += "  point\n";
  for (std::size_t i = 0; i < std::min(max_points, order.size()); ++i) {
    const auto& point = results.points[order[i]];
    out += format("{:5}", results.ranks[order[i] * n_scorers + by]);
    for (std::size_t scorer = 0; scorer < n_scorers; ++scorer) {
      const auto at = order[i] * n_scorers + scorer;
      const auto width = std::max<std::size_t>(20, results.scorers[scorer].size());
      const auto text =
          std::isnan(results.mean_scores[at])
              ? std::string("undefined")
              : format("{:.5g} +- {:.2g}", results.mean_scores[at], results.std_scores[at]);
      out += format("  {:>{}}", text, width);
    }
    out += format("  {} {}\n", options::name_of(point.estimator), short_params(point));
  }
  if (order.size() > max_points) {
    out += format("      ... and {} in cv_results.csv\n",
                  counted(order.size() - max_points, "more point"));
  }
  return out;
}

}  // namespace orchard::report
