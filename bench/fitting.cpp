#include "fitting.hpp"

#include "orchard/base/clock.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::bench {
namespace {

options::BoostingSettings boosting_settings(const Task& task) {
  options::BoostingSettings out;
  out.max_iter = task.number("trees", 100);
  out.max_leaf_nodes = task.limit("leaves", 31);
  out.max_depth = task.limit("depth", 0);
  out.max_bins = kMaxBins;
  out.early_stopping = options::EarlyStopping::kOff;
  return out;
}

/// Depths {4, 8, 12, 16, none} times min_samples_split {2, 10}.
std::vector<learn::Cut> readout_cuts() {
  std::vector<learn::Cut> cuts;
  for (const std::int64_t depth : {4, 8, 12, 16, 0}) {
    for (const std::int64_t min_samples_split : {2, 10}) {
      cuts.push_back({depth > 0 ? std::optional(depth) : std::nullopt, min_samples_split, 0});
    }
  }
  return cuts;
}

}  // namespace

std::int64_t Task::number(const std::string& key, std::int64_t otherwise) const {
  const auto at = keys.find(key);
  if (at == keys.end()) return otherwise;
  const auto value = parse_int(at->second);
  if (!value) throw Error(ErrorKind::kUsage, format("{} is no integer", at->second), key);
  return *value;
}

std::optional<std::int64_t> Task::limit(const std::string& key, std::int64_t otherwise) const {
  const auto value = number(key, otherwise);
  return value > 0 ? std::optional(value) : std::nullopt;
}

Kind Task::kind() const {
  const auto at = keys.find("kind");
  if (at == keys.end() || at->second == "binary") return Kind::kBinary;
  return at->second == "classes" ? Kind::kClasses : Kind::kRegression;
}

std::vector<options::CountOrFraction> Task::leaf_sizes() const {
  const auto at = keys.find("leaf");
  if (at == keys.end()) return {std::int64_t{1}};
  std::vector<options::CountOrFraction> sizes;
  for (const auto& word : split(at->second, ',')) {
    const auto value = parse_int(word);
    if (!value) throw Error(ErrorKind::kUsage, format("{} is no integer", word), "leaf");
    sizes.emplace_back(*value);
  }
  return sizes;
}

options::ForestSettings forest_settings(const Task& task) {
  options::ForestSettings out;
  out.n_estimators = task.number("trees", 100);
  out.max_depth = task.limit("depth", 0);
  if (task.kind() == Kind::kRegression) {
    out.criterion = options::Criterion::kSquaredError;
    out.max_features.rule = options::MaxFeatures::Rule::kAll;
  }
  return out;
}

Fitting::Fitting(const Task& task, const BenchTable& table, const data::Fold& fold,
                 parallel::Pool& pool)
    : table_(table),
      node_(comm::self().split_by_node()),
      is_forest_(task.task != "boost" && task.task != "predict") {
  const double start = monotonic_s();
  store_.emplace(node_, table.table, std::vector<run::FoldNeed>{{0, &fold, kMaxBins, !is_forest_}},
                 kRandomState, pool);
  bin_s = monotonic_s() - start;
  grow(task, {store_->binned(0, kMaxBins), table.table.schema, kRandomState, pool});
  fit_s = monotonic_s() - start - bin_s;
}

Fitting::~Fitting() {
  fit_.reset();
  store_->release(node_);
}

void Fitting::grow(const Task& task, const learn::FitContext& context) {
  if (is_forest_) {
    const auto settings = forest_settings(task);
    auto cuts = task.task == "readouts"
                    ? readout_cuts()
                    : std::vector{learn::cut_of(settings, context.data.n_train())};
    fit_ = std::make_unique<learn::ForestFit>(context, settings, std::move(cuts), 0,
                                              static_cast<int>(settings.n_estimators),
                                              task.leaf_sizes());
  } else {
    const auto settings = boosting_settings(task);
    fit_ = std::make_unique<learn::BoostingFit>(
        context, settings,
        std::vector<learn::BoostingMember>{
            {settings.max_iter, settings.n_iter_no_change, settings.tol}},
        [](std::size_t, int, std::span<const std::int64_t>) {});
  }
  while (!fit_->is_done()) fit_->advance();
}

learn::ModelFrame Fitting::frame() const {
  return is_forest_ ? forest().frame() : static_cast<const learn::BoostingFit&>(*fit_).frame();
}

model::Ensemble Fitting::ensemble() const {
  if (!is_forest_) return assemble(table_.table.schema, frame(), fit_->units());
  const auto& units = forest().units();
  std::vector<model::Unit> of_first;
  for (std::size_t tree = 0; tree < forest().n_trees(); ++tree) {
    of_first.push_back(units[tree * units.size() / forest().n_trees()]);
  }
  return assemble(table_.table.schema, frame(), of_first);
}

model::Ensemble assemble(const model::Schema& schema, const learn::ModelFrame& frame,
                         const std::vector<model::Unit>& units) {
  model::Ensemble out;
  out.schema = schema;
  out.combine = frame.combine;
  out.n_outputs = frame.n_outputs;
  out.value_exponent = frame.value_exponent;
  out.baseline = frame.baseline;
  for (const auto& unit : units) {
    for (const auto& tree : unit) {
      out.trees.push_back(tree.stops.empty() ? tree : learn::apply_cut(tree, 0));
    }
  }
  return out;
}

}  // namespace orchard::bench
