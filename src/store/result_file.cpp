#include "orchard/store/result_file.hpp"

#include "open_file.hpp"
#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"
#include "ragged.hpp"

namespace orchard::store {
namespace {

using options::Estimator;
using options::Param;
using options::ParamValue;
using search::PointResult;
using search::Results;

constexpr std::uint32_t kResultFormat = 1;

void write_points(h5::Builder& builder, const std::vector<PointResult>& points) {
  std::vector<std::int32_t> ids;
  std::vector<std::string> grids, estimators, failures, undefined, names, values;
  std::vector<std::uint8_t> types;
  std::vector<std::uint64_t> offsets = {0};
  for (const auto& point : points) {
    ids.push_back(point.id);
    grids.push_back(point.grid);
    estimators.push_back(options::name_of(point.estimator));
    failures.push_back(point.failure);
    undefined.push_back(point.undefined);
    for (const auto& param : point.params) {
      names.push_back(param.name);
      values.push_back(options::print_value(param.value));
      types.push_back(static_cast<std::uint8_t>(param.value.index()));
    }
    offsets.push_back(names.size());
  }
  builder.make_group("/points");
  builder.write("/points/id", ids);
  builder.write_strings("/points/grid", grids);
  builder.write_strings("/points/estimator", estimators);
  builder.write_strings("/points/failure", failures);
  builder.write_strings("/points/undefined", undefined);
  builder.write("/points/param_offsets", offsets);
  builder.write_strings("/points/param_names", names);
  builder.write_strings("/points/param_values", values);
  builder.write("/points/param_types", types);
}

void write_scores(h5::Builder& builder, const Results& results) {
  const std::size_t n_points = results.points.size(), n_scorers = results.scorers.size();
  const auto n_splits = static_cast<std::size_t>(results.n_splits);
  builder.make_group("/scores");
  builder.write_strings("/scores/scorers", results.scorers);
  builder.set_attribute("/scores", "n_splits", std::int64_t{results.n_splits});
  builder.set_attribute("/scores", "best", std::int64_t{results.best.value_or(-1)});
  builder.write_strings("/scores/refit", {results.refit});
  builder.write("/scores/split", results.split_scores, n_points, n_scorers * n_splits);
  builder.write("/scores/mean", results.mean_scores, n_points, n_scorers);
  builder.write("/scores/std", results.std_scores, n_points, n_scorers);
  builder.write("/scores/rank", results.ranks, n_points, n_scorers);
}

void write_origin(h5::Builder& builder, const ResultFile& file) {
  std::vector<std::string> keys, values;
  for (const auto& setting : file.settings) {
    keys.push_back(setting.key);
    values.push_back(setting.value);
  }
  builder.make_group("/settings");
  builder.write_strings("/settings/keys", keys);
  builder.write_strings("/settings/values", values);
  builder.make_group("/data");
  builder.set_attribute("/data", "digest", file.data_digest);
  builder.set_attribute("/data", "n_rows", static_cast<std::int64_t>(file.n_rows));
  builder.set_attribute("/data", "n_features", static_cast<std::int64_t>(file.n_features));
}

void write_timing(h5::Builder& builder, const Results& results) {
  const std::size_t n_points = results.points.size();
  const auto n_splits = static_cast<std::size_t>(results.n_splits);
  builder.make_group("/timing");
  builder.set_attribute("/timing", "written_utc", utc_timestamp());
  builder.set_attribute("/timing", "host", host_name());
  builder.write("/timing/fit_s", results.fit_s, n_points, n_splits);
  builder.write("/timing/score_s", results.score_s, n_points, n_splits);
}

Estimator estimator_of(const h5::Reader& reader, const std::string& name) {
  for (const auto estimator :
       {Estimator::kRandomForestClassifier, Estimator::kRandomForestRegressor,
        Estimator::kHistGradientBoostingClassifier, Estimator::kHistGradientBoostingRegressor}) {
    if (options::name_of(estimator) == name) return estimator;
  }
  reader.fail("/points/estimator", format("holds '{}', which is unknown", escape(name)));
}

/// The value of a type (its place in ParamValue) that prints as `text`.
ParamValue param_value(const h5::Reader& reader, std::uint8_t type, const std::string& text) {
  const ParamValue none = std::monostate{}, yes = true, no = false, word = text;
  if (type == none.index()) return none;
  if (type == yes.index()) return text == "true" ? yes : no;
  if (type == word.index()) return word;
  if (const auto number = parse_int(text); number && type == ParamValue(*number).index()) {
    return *number;
  }
  if (const auto number = parse_double(text); number && type == ParamValue(*number).index()) {
    return *number;
  }
  reader.fail("/points/param_values", format("holds '{}' of type {}", escape(text), type));
}

std::vector<PointResult> read_points(const h5::Reader& reader) {
  const auto ids = reader.read<std::int32_t>("/points/id");
  const std::size_t n = ids.size();
  const auto grids = read_texts(reader, "/points/grid", n);
  const auto estimators = read_texts(reader, "/points/estimator", n);
  const auto failures = read_texts(reader, "/points/failure", n);
  const auto undefined = read_texts(reader, "/points/undefined", n);
  const auto names = reader.read_strings("/points/param_names");
  const auto values = read_texts(reader, "/points/param_values", names.size());
  const auto types = reader.read<std::uint8_t>("/points/param_types", names.size());
  const auto offsets = read_offsets(reader, "/points/param_offsets", n, names.size());
  std::vector<PointResult> points(n);
  for (std::size_t i = 0; i < n; ++i) {
    points[i].id = ids[i];
    points[i].grid = grids[i];
    points[i].estimator = estimator_of(reader, estimators[i]);
    points[i].failure = failures[i];
    points[i].undefined = undefined[i];
    for (auto at = offsets[i]; at < offsets[i + 1]; ++at) {
      points[i].params.push_back({names[at], param_value(reader, types[at], values[at])});
    }
  }
  return points;
}

Results read_results(const h5::Reader& reader) {
  Results results;
  results.points = read_points(reader);
  results.scorers = reader.read_strings("/scores/scorers");
  results.refit = read_texts(reader, "/scores/refit", 1)[0];
  const std::int64_t n_splits = reader.int_attribute("/scores", "n_splits");
  if (n_splits < 0 || n_splits > INT32_MAX) {
    reader.fail("/scores@n_splits", format("is {}", n_splits));
  }
  results.n_splits = static_cast<std::int32_t>(n_splits);
  const std::uint64_t n_points = results.points.size(), n_scorers = results.scorers.size();
  // No product here can overflow: points and scorers lie in memory, splits fit 31 bits.
  const auto n_fits = n_points * static_cast<std::uint64_t>(n_splits);
  results.mean_scores = reader.read<double>("/scores/mean", n_points * n_scorers);
  results.std_scores = reader.read<double>("/scores/std", n_points * n_scorers);
  results.ranks = reader.read<std::int32_t>("/scores/rank", n_points * n_scorers);
  results.split_scores = reader.read<double>("/scores/split", n_fits * n_scorers);
  results.fit_s = reader.read<double>("/timing/fit_s", n_fits);
  results.score_s = reader.read<double>("/timing/score_s", n_fits);
  const std::int64_t best = reader.int_attribute("/scores", "best");
  if (best < -1 || best > INT32_MAX) reader.fail("/scores@best", format("is {}", best));
  if (best >= 0) results.best = static_cast<std::int32_t>(best);
  return results;
}

}  // namespace

void save_results(const std::string& path, const ResultFile& file) {
  publish(path, h5::FileKind::kResults, kResultFormat, [&](h5::Builder& builder) {
    builder.set_attribute("/", "program", "orchard");
    builder.set_attribute("/", "program_version", file.program_version);
    write_points(builder, file.results.points);
    write_scores(builder, file.results);
    write_origin(builder, file);
    write_timing(builder, file.results);
  });
}

ResultFile load_results(const std::string& path) {
  const OpenFile opened = open_verified(path, h5::FileKind::kResults, kResultFormat);
  const h5::Reader reader(opened.bytes, path);
  ResultFile file;
  file.program_version = reader.text_attribute("/", "program_version");
  const auto keys = reader.read_strings("/settings/keys");
  const auto values = read_texts(reader, "/settings/values", keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    file.settings.push_back({keys[i], values[i], {}, true});
  }
  file.data_digest = reader.text_attribute("/data", "digest");
  file.n_rows = static_cast<std::uint64_t>(reader.int_attribute("/data", "n_rows"));
  file.n_features = static_cast<std::uint64_t>(reader.int_attribute("/data", "n_features"));
  file.results = read_results(reader);
  return file;
}

}  // namespace orchard::store
