#include "fake_phase.hpp"

#include "phase_snapshot.hpp"

namespace orchard::run {
namespace {

class NoData : public search::FoldSource {
 public:
  const data::BinnedData& binned(std::int32_t, int) const override {
    throw Error(ErrorKind::kInternal, "naps have no data");
  }
};

class Tell : public CheckpointSink {
 public:
  explicit Tell(const std::function<void(const search::Snapshot&)>& on_save) : on_save_(on_save) {}
  std::size_t save(const search::Snapshot& snapshot) override {
    if (on_save_) on_save_(snapshot);
    return 1;
  }

 private:
  const std::function<void(const search::Snapshot&)>& on_save_;
};

}  // namespace

std::vector<search::TaskSpec> tasks_of(const std::vector<int>& milliseconds) {
  std::vector<search::TaskSpec> tasks;
  for (const int n : milliseconds) {
    const auto id = static_cast<std::int32_t>(tasks.size());
    tasks.push_back({id, id, 0, 0, n, 1e-3 * n});
  }
  return tasks;
}

std::vector<search::Family> families_of(options::Estimator estimator, std::size_t n_families) {
  std::vector<search::Family> families(n_families);
  for (std::size_t i = 0; i < n_families; ++i) {
    families[i].id = static_cast<std::int32_t>(i);
    families[i].estimator = estimator;
  }
  return families;
}

PhaseEnd FakePhase::run(int n_ranks) const {
  PhaseEnd end_of_all = PhaseEnd::kDone;
  comm::run_as_ranks(n_ranks, [&](comm::Communicator world) {
    world.set_deadline(30);
    const std::vector<std::string> scorers;
    const model::Schema schema;
    const NoData folds;
    parallel::Pool pool(1);
    Tell sink(on_save);
    auto all = families;
    for (auto id = all.size(); id < tasks.size(); ++id) {
      all.push_back({});
      all.back().id = static_cast<std::int32_t>(id);
    }
    search::Phase phase(all, tasks, 0, schema, scorers, folds);
    const auto runners = [&](bool is_in_group) -> search::RunnerFactory {
      return [&, is_in_group](const search::TaskSpec& task,
                              auto units) -> std::unique_ptr<search::Runner> {
        if (!make_runner) return std::make_unique<Nap>(task, std::move(units), pool);
        return make_runner({world.rank(), is_in_group, task, std::move(units), pool});
      };
    };
    PhaseSetup setup;
    setup.pool = &pool;
    setup.layout = layout;
    setup.make_runner = runners(false);
    setup.group_runners = [&](learn::RowGroup&) { return runners(true); };
    setup.group = own_group(world, layout);
    if (world.rank() == 0) {
      setup.phase = &phase;
      setup.resumed = resumed;
      setup.sink = &sink;
      setup.checkpoint_interval_s = checkpoint_interval_s;
      setup.answer_deadline_s = answer_deadline_s;
      setup.on_progress = on_progress;
      setup.make_snapshot = [&](auto running) { return snapshot_of(phase, std::move(running)); };
    }
    const auto end = run_phase(world, setup);
    if (world.rank() != 0) return;
    require(phase.is_done() || end == PhaseEnd::kStopped, "every task has its result");
    end_of_all = end;
  });
  return end_of_all;
}

}  // namespace orchard::run
