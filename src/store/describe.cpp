#include "orchard/store/describe.hpp"

#include <algorithm>
#include <map>

#include "checkpoint_image.hpp"
#include "model_image.hpp"
#include "open_file.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/store/result_file.hpp"

namespace orchard::store {
namespace {

constexpr std::size_t kMaxFeatures = 50;
constexpr std::size_t kMaxLevels = 8;
constexpr std::size_t kMaxPoints = 5;

std::string line(const std::string& name, const std::string& value) {
  return format("{:<14} {}\n", name, value);
}

std::string list(const std::vector<std::string>& texts, std::size_t max_shown) {
  std::vector<std::string> shown;
  for (const auto& text : texts) {
    if (shown.size() < max_shown) shown.push_back(escape(text, 40));
  }
  std::string out = join(shown, ", ");
  if (texts.size() > max_shown) out += format(", ... ({} in all)", texts.size());
  return out;
}

std::string describe_checkpoint(const CheckpointContent& content) {
  const auto& snapshot = content.snapshot;
  std::size_t n_failed = 0;
  for (const auto& result : snapshot.results) {
    n_failed += result.failure.empty() && result.failures.empty() ? 0 : 1;
  }
  std::string out = line("sequence", format("{}", content.sequence));
  out += line("written", format("{} on {} by orchard {}", content.written_utc, escape(content.host),
                                escape(content.program_version)));
  out += line("work so far", format("{}, {}", print_duration(snapshot.elapsed_s),
                                    counted(snapshot.n_restarts, "restart")));
  out += line("finished",
              format("{} ({} failed)", counted(snapshot.results.size(), "task"), n_failed));
  out += line("running", counted(snapshot.running.size(), "task"));
  for (const auto& task : snapshot.running) {
    out += format("  task {}: {} after {}\n", task.task, counted(task.units.size(), "unit"),
                  print_duration(task.fit_s));
  }
  out += "identity\n";
  for (const auto& [name, value] : content.identity) {
    out += format("  {} = {}\n", escape(name), escape(value, 200));
  }
  return out;
}

/// Edges on the longest path from the root. Children come after their parent.
std::size_t depth_of(const model::Tree& tree) {
  std::vector<std::size_t> depth(tree.n_nodes(), 0);
  std::size_t greatest = 0;
  for (std::size_t node = 0; node < tree.n_nodes(); ++node) {
    greatest = std::max(greatest, depth[node]);
    if (tree.left[node] < 0) continue;
    const auto child = static_cast<std::size_t>(tree.left[node]);
    depth[child] = depth[child + 1] = depth[node] + 1;
  }
  return greatest;
}

std::string describe_schema(const model::Schema& schema) {
  std::string out = line("target", escape(schema.target));
  if (schema.task == Task::kClassification) out += line("classes", list(schema.classes, 20));
  out += line("features", format("{}", schema.n_features()));
  for (std::size_t i = 0; i < std::min(kMaxFeatures, schema.features.size()); ++i) {
    const auto& feature = schema.features[i];
    const std::string kind = feature.kind == model::FeatureKind::kNumeric
                                 ? "numeric"
                                 : "categorical: " + list(feature.levels, kMaxLevels);
    out += format("  {} ({})\n", escape(feature.name), kind);
  }
  if (schema.features.size() > kMaxFeatures) {
    out += format("  ... and {} more\n", schema.features.size() - kMaxFeatures);
  }
  return out;
}

std::string describe_model(const model::Ensemble& ensemble) {
  std::size_t n_nodes = 0, depth = 0;
  for (const auto& tree : ensemble.trees) {
    n_nodes += tree.n_nodes();
    depth = std::max(depth, depth_of(tree));
  }
  std::string out = line("estimator", escape(ensemble.estimator));
  out += line("trees", format("{} with {}, depth up to {}", ensemble.trees.size(),
                              counted(n_nodes, "node"), depth));
  out += describe_schema(ensemble.schema);
  out += "params\n";
  for (const auto& [name, value] : ensemble.params) {
    out += format("  {} = {}\n", escape(name), escape(value, 200));
  }
  return out;
}

std::string describe_point(const search::Results& results, std::size_t point) {
  const std::size_t n_scorers = results.scorers.size();
  std::vector<std::string> parts;
  for (const auto& param : results.points[point].params) {
    parts.push_back(escape(param.name) + "=" + escape(options::print_value(param.value)));
  }
  std::string out = format("  point {} ({}) {}\n", results.points[point].id,
                           options::name_of(results.points[point].estimator), join(parts, " "));
  for (std::size_t scorer = 0; scorer < n_scorers; ++scorer) {
    const std::size_t at = point * n_scorers + scorer;
    out += format("    {:<24} {} +- {} (rank {})\n", escape(results.scorers[scorer]),
                  print_double(results.mean_scores[at]), print_double(results.std_scores[at]),
                  results.ranks[at]);
  }
  return out;
}

/// What went wrong at points, each reason once.
std::string describe_failures(const search::Results& results) {
  std::map<std::string, std::size_t> n_points;
  for (const auto& point : results.points) {
    if (!point.failure.empty()) ++n_points["failed: " + point.failure];
    if (!point.undefined.empty()) ++n_points["undefined score: " + point.undefined];
  }
  std::string out;
  for (const auto& [reason, n] : n_points) {
    out += format("  {}, {}\n", counted(n, "point"), escape(reason, 200));
  }
  return out;
}

std::string describe_results(const ResultFile& file) {
  const auto& results = file.results;
  std::size_t n_failed = 0;
  for (const auto& point : results.points) n_failed += point.failure.empty() ? 0 : 1;
  std::string out = line("written by", "orchard " + escape(file.program_version));
  out += line("data", format("{}, {}, digest {}", counted(file.n_rows, "row"),
                             counted(file.n_features, "feature"), escape(file.data_digest)));
  out += line("points", format("{} ({} failed), {}", results.points.size(), n_failed,
                               counted(results.n_splits, "split")));
  out += line("scorers", list(results.scorers, 20));
  const auto refit = std::find(results.scorers.begin(), results.scorers.end(), results.refit);
  const auto scorer = refit == results.scorers.end()
                          ? std::size_t{0}
                          : static_cast<std::size_t>(refit - results.scorers.begin());
  if (results.scorers.empty()) return out;
  std::vector<std::size_t> order(results.points.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto rank = [&](std::size_t i) {
    return results.ranks[i * results.scorers.size() + scorer];
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  out += line("best by", escape(results.scorers[scorer]));
  for (std::size_t i = 0; i < std::min(kMaxPoints, order.size()); ++i) {
    out += describe_point(results, order[i]);
  }
  return out + describe_failures(results);
}

}  // namespace

std::string describe_file(const std::string& path) {
  const OpenFile file = open_verified(path);
  const auto& block = file.block;
  std::string out = line("file", path);
  out += line("kind", format("{}, format {}", name_of(block.kind), block.format));
  out += line("size", format("{} ({} bytes)", print_bytes(block.n_bytes), block.n_bytes));
  out += line("digest", block.content.hex() + " (verified)");
  switch (block.kind) {
    case h5::FileKind::kCheckpoint:
      return out + describe_checkpoint(read_checkpoint(file.bytes, path));
    case h5::FileKind::kModel:
      check_kind(block, path, h5::FileKind::kModel, kModelFormat);
      return out + describe_model(read_model(file.bytes, path));
    case h5::FileKind::kResults:
      return out + describe_results(load_results(path));
  }
  return out;
}

}  // namespace orchard::store
