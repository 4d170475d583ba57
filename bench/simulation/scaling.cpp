// Hands out recorded tasks to ranks, real or simulated, and tells how well it kept them busy.
//
// usage: mpirun -n RANKS scaling DURATIONS [key=value ...]
//        smpirun -np RANKS ... scaling_simulated.so DURATIONS [key=value ...]
//
//   tasks=20        recorded tasks a rank; the record is gone through again and again, in leaps
//   slice=0.02      seconds between two polls of a rank at work
//   checkpoint=0    seconds between two checkpoints; 0: none
//   join=0          idle ranks join the fits of their node, and each is worth so much of a rank
//                   there (0.9: two ranks are 1.8 times as fast as one); 0: they do not
//   node=16         ranks of a node
//
// Everything but the work itself is the program's own: the phase of src/search, the ranks of
// src/run, their messages. Prints one line of JSON. Efficiency is the seconds of all tasks over
// ranks times the seconds of the phase; rank 0 counts as a rank.

#include <cstdio>
#include <map>
#include <span>

#include "orchard/base/clock.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/text.hpp"
#include "orchard/run/scheduler.hpp"
#include "recorded.hpp"

namespace orchard::bench {
namespace {

class NoData final : public search::FoldSource {
 public:
  const data::BinnedData& binned(std::int32_t, int) const override {
    throw Error(ErrorKind::kInternal, "recorded tasks have no data");
  }
};

/// Counts checkpoints and writes none.
class CountingSink final : public run::CheckpointSink {
 public:
  std::size_t save(const search::Snapshot&) override { return n_saved_++; }
  std::size_t n_saved() const { return n_saved_; }

 private:
  std::size_t n_saved_ = 0;
};

struct Setting {
  std::size_t tasks = 20;
  double slice_s = 0.02, checkpoint_s = 0;
  double join = 0;
  int ranks_per_node = 16;
};

Setting parse(std::span<char*> arguments) {
  std::map<std::string, double> values = {
      {"tasks", 20}, {"slice", 0.02}, {"checkpoint", 0}, {"join", 0}, {"node", 16}};
  for (const std::string text : arguments) {
    const auto at = text.find('=');
    const auto value = at == std::string::npos ? std::nullopt : parse_double(text.substr(at + 1));
    if (!value || *value < 0 || values.count(text.substr(0, at)) == 0) {
      throw Error(ErrorKind::kUsage, format("'{}' is no setting", escape(text)));
    }
    values[text.substr(0, at)] = *value;
  }
  return {static_cast<std::size_t>(values["tasks"]), values["slice"], values["checkpoint"],
          values["join"], std::max(1, static_cast<int>(values["node"]))};
}

/// The recorded tasks in leaps, so that few of them are not all of one kind.
std::vector<search::TaskSpec> make_tasks(const std::vector<Recorded>& recorded, std::size_t n) {
  constexpr std::size_t kLeap = 101;
  std::vector<search::TaskSpec> tasks;
  for (std::size_t i = 0; i < n; ++i) {
    const auto place = static_cast<std::int32_t>(i * kLeap % recorded.size());
    const auto& one = recorded[static_cast<std::size_t>(place)];
    tasks.push_back({0, place, static_cast<std::int32_t>(i), 0, one.n_units, one.cost});
  }
  return tasks;
}

/// Seconds of all tasks, and of the longest.
std::pair<double, double> work_of(const std::vector<Recorded>& recorded,
                                  const std::vector<search::TaskSpec>& tasks) {
  double all_s = 0, longest_s = 0;
  for (const auto& task : tasks) {
    const auto& one = recorded[static_cast<std::size_t>(task.family)];
    all_s += one.fit_s + one.score_s;
    longest_s = std::max(longest_s, one.fit_s + one.score_s);
  }
  return {all_s, longest_s};
}

void run(comm::Communicator& world, const std::string& path, const Setting& setting) {
  const auto recorded = read_recorded(path);
  const auto tasks = make_tasks(recorded, setting.tasks * static_cast<std::size_t>(world.size()));
  std::vector<search::Family> families(recorded.size());
  for (auto& family : families) {
    family.id = static_cast<std::int32_t>(&family - families.data());
    family.estimator = options::Estimator::kHistGradientBoostingClassifier;
  }
  const std::vector<std::string> scorers;
  const model::Schema schema;
  const NoData folds;
  parallel::Pool pool(1);
  Waits waits;
  CountingSink sink;
  std::optional<search::Phase> phase;

  run::PhaseSetup setup;
  setup.pool = &pool;
  setup.make_runner = [&](const search::TaskSpec& task, std::vector<model::Unit> units) {
    return std::make_unique<RecordedRunner>(recorded[static_cast<std::size_t>(task.family)],
                                            std::move(units), 1, setting.slice_s, pool, waits);
  };
  setup.group_runners = [&](learn::RowGroup& group) -> search::RunnerFactory {
    const double speed = std::max(1.0, setting.join * group.size());
    return [&, speed](const search::TaskSpec& task, std::vector<model::Unit> units) {
      return std::make_unique<RecordedRunner>(recorded[static_cast<std::size_t>(task.family)],
                                              std::move(units), speed, setting.slice_s, pool,
                                              waits);
    };
  };
  for (int rank = 0; rank < world.size(); ++rank) {
    setup.layout.node_of_rank.push_back(rank / setting.ranks_per_node * setting.ranks_per_node);
  }
  if (setting.join > 0) setup.layout.max_joined_ranks = setting.ranks_per_node;
  if (world.rank() == 0) {
    phase.emplace(families, tasks, 0, schema, scorers, folds);
    setup.phase = &*phase;
    setup.make_snapshot = [](std::vector<search::RunningTask> running) {
      search::Snapshot snapshot;
      snapshot.running = std::move(running);
      return snapshot;
    };
    setup.on_progress = [](const search::Progress&) {};
    if (setting.checkpoint_s > 0) {
      setup.sink = &sink;
      setup.checkpoint_interval_s = setting.checkpoint_s;
    }
  }
  world.barrier();
  const double begin_s = monotonic_s();
  run_phase(world, setup);
  const double wall_s = monotonic_s() - begin_s;

  ByteWriter writer;
  writer.put(waits);
  Waits all;
  for (const auto& bytes : world.gather(writer.take(), 0)) {
    const auto one = ByteReader(bytes).get<Waits>();
    all.n += one.n;
    all.all_s += one.all_s;
    all.longest_s = std::max(all.longest_s, one.longest_s);
  }
  if (world.rank() != 0) return;
  const auto [work_s, longest_task_s] = work_of(recorded, tasks);
  std::printf(
      "{\"ranks\": %d, \"tasks\": %zu, \"slice_s\": %g, \"join\": %g, \"checkpoints\": %zu, "
      "\"wall_s\": %.4f, "
      "\"efficiency\": %.4f, \"longest_task_s\": %.4f, \"mean_wait_ms\": %.4f, "
      "\"longest_wait_ms\": %.3f}\n",
      world.size(), tasks.size(), setting.slice_s, setting.join, sink.n_saved(), wall_s,
      work_s / (wall_s * world.size()), longest_task_s,
      all.n > 0 ? 1e3 * all.all_s / static_cast<double>(all.n) : 0.0, 1e3 * all.longest_s);
}

}  // namespace
}  // namespace orchard::bench

int main(int argc, char** argv) {
  using namespace orchard;
  try {
    comm::Environment environment(&argc, &argv);
    auto world = environment.world();
    log::configure(world.rank() == 0, log::Level::kInfo);
    if (argc < 2) throw Error(ErrorKind::kUsage, "usage: scaling DURATIONS [key=value ...]");
    const auto setting = bench::parse(std::span(argv + 2, static_cast<std::size_t>(argc - 2)));
    bench::run(world, argv[1], setting);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scaling: %s\n", error.what());
    return 1;
  }
}
