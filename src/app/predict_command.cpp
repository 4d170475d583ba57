#include <algorithm>
#include <cstdio>

#include "commands.hpp"
#include "orchard/base/clock.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/base/text.hpp"
#include "orchard/run/predict.hpp"
#include "orchard/run/table_loader.hpp"
#include "orchard/store/model_file.hpp"
#include "prediction_output.hpp"
#include "session.hpp"

namespace orchard::app {
namespace {

// Rows that one rank predicts between two gathers: bounds the memory of the writing rank.
constexpr RowIndex kRowsPerTurn = 131072;

/// Models whose features agree read one table: one pass over the file serves them all.
struct Group {
  std::vector<std::size_t> models;
  run::LoadedTable loaded;
};

std::vector<PredictedModel> load_models(Session& session) {
  const Doing doing("reads models", Beats::kNone);
  std::vector<PredictedModel> models;
  session.world().together([&] {
    for (const auto& section : session.job().models) {
      models.push_back({section.name, section.method, store::load_model(section.file)});
    }
  });
  return models;
}

std::vector<Group> load_tables(Session& session, const std::vector<PredictedModel>& models) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto same = [&](const Group& group) {
      return models[group.models.front()].ensemble.schema.features ==
             models[i].ensemble.schema.features;
    };
    const auto found = std::find_if(groups.begin(), groups.end(), same);
    if (found != groups.end()) {
      found->models.push_back(i);
    } else {
      groups.push_back({{i}, {}});
    }
  }
  for (auto& group : groups) {
    data::ReadRequest request;
    request.schema = &models[group.models.front()].ensemble.schema;
    request.task = request.schema->task;
    group.loaded = run::load_table(session.world(), session.node(), session.job().data.input,
                                   request, session.pool(), run::Features::kOnce);
  }
  return groups;
}

/// Predictions of every model for rows [begin, end), in the order of the job file.
std::vector<std::vector<double>> predict_all(Session& session,
                                             const std::vector<model::Predictor>& models,
                                             const std::vector<Group>& groups, RowIndex begin,
                                             RowIndex end) {
  std::vector<std::vector<double>> out(models.size());
  for (const auto& group : groups) {
    std::vector<const model::Predictor*> of_group;
    for (const auto i : group.models) of_group.push_back(&models[i]);
    auto predicted = run::predict_rows(of_group, group.loaded.table, begin, end, session.pool());
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      out[group.models[i]] = std::move(predicted[i]);
    }
  }
  return out;
}

/// Ranks take consecutive ranges of each turn's rows; rank 0 appends what they predicted in rank
/// order, which is the input's order.
void predict_in_turns(Session& session, const std::vector<model::Predictor>& models,
                      const std::vector<Group>& groups, PredictionOutput& output) {
  auto& world = session.world();
  const std::uint64_t n_rows = groups.front().loaded.table.n_rows;
  const auto n_ranks = static_cast<std::uint64_t>(world.size());
  const auto rank = static_cast<std::uint64_t>(world.rank());
  for (std::uint64_t at = 0; at < n_rows; at += n_ranks * kRowsPerTurn) {
    const std::uint64_t n_turn = std::min(n_ranks * kRowsPerTurn, n_rows - at);
    const auto begin = static_cast<RowIndex>(at + n_turn * rank / n_ranks);
    const auto end = static_cast<RowIndex>(at + n_turn * (rank + 1) / n_ranks);
    Bytes encoded;
    world.together([&] {
      encoded = output.encode(predict_all(session, models, groups, begin, end), end - begin);
    });
    const auto parts = world.gather(encoded, 0);
    world.together([&] {
      const Doing doing("writes predictions", Beats::kNone);
      for (const auto& part : parts) output.append(part);
    });
  }
  world.together([&] {
    const Doing doing("writes predictions", Beats::kNone);
    if (session.is_root()) output.publish();
  });
}

}  // namespace

int run_predict(comm::Communicator& world, const options::CommandLine& command_line) {
  Session session(world, command_line);
  const double begin_s = monotonic_s();
  const auto models = load_models(session);
  auto groups = load_tables(session, models);
  std::vector<model::Predictor> predictors;
  for (const auto& model : models) predictors.emplace_back(model.ensemble, session.pool());
  const auto path = session.output_path(session.job().output.predictions);
  std::unique_ptr<PredictionOutput> output;
  world.together([&] { output = make_prediction_output(path, models, session.is_root()); });
  predict_in_turns(session, predictors, groups, *output);
  for (auto& group : groups) session.node().free_shared(group.loaded.memory);
  if (session.is_root()) {
    log::info(format("{} x {} in {}", counted(groups.front().loaded.table.n_rows, "row"),
                     counted(models.size(), "model"), print_duration(monotonic_s() - begin_s)));
    std::printf("predictions %s\n", path.c_str());
  }
  return 0;
}

}  // namespace orchard::app
