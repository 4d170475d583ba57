#pragma once
// `orchard search` and `orchard train`: from a job file to a model. The steps are in the order of
// docs/journeys.md.

#include <memory>
#include <optional>
#include <vector>

#include "orchard/run/forecast.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/store/checkpoint.hpp"
#include "phase_bins.hpp"
#include "prepared_data.hpp"

namespace orchard::app {

class SearchJob {
 public:
  explicit SearchJob(Session& session);
  /// The exit code: 0, or 75 after a stop in order. Collective.
  int run();

 private:
  void plan();
  void choose_layout(const std::vector<search::Family>& families, std::size_t n_fits);
  void look_ahead();
  void resume();
  run::PhaseEnd cross_validate();
  run::PhaseEnd refit();
  void write_outputs();
  void write_tables();

  store::JobIdentity identity() const;
  search::Snapshot snapshot(std::vector<search::RunningTask> running) const;
  void restore(search::Phase& phase);
  run::PhaseEnd run_tasks(const std::string& name, const std::vector<search::Family>& families,
                          const PhaseBins& bins, search::Phase* phase);
  std::unique_ptr<PhaseBins> make_bins(const std::vector<run::FoldNeed>& needs);
  void note_memory(std::size_t n_shared_bytes);
  bool has_refit() const;
  void choose_best();
  void judge_results();
  /// "refit", or "training" for `train`.
  std::string phase_name() const;
  void write_model();
  void compare_with_forecast();
  void report_end() const;

  Session& session_;
  const options::Job& job_;
  PreparedData data_;
  search::Plan plan_;
  options::ParallelSettings parallel_;  // as chosen where the job leaves it open
  run::Layout layout_;                  // of the phase under way
  std::optional<comm::Communicator> group_;
  std::int32_t best_ = -1;                      // point of the refit, known on all ranks
  std::vector<search::Family> refit_families_;  // one family of one point

  // Rank 0 only.
  std::unique_ptr<store::CheckpointStore> checkpoints_;
  std::unique_ptr<run::CheckpointSink> sink_;
  std::optional<search::Snapshot> resumed_;
  std::unique_ptr<PhaseBins> cv_bins_, refit_bins_;
  std::unique_ptr<search::Phase> cv_phase_, refit_phase_;
  std::optional<search::Results> results_;
  run::Forecast forecast_;
  // As it was: seconds of the phases, bytes on this rank's node and of this rank alone.
  double search_s_ = 0, refit_s_ = 0;
  std::size_t most_shared_bytes_ = 0;
  std::uint64_t most_private_bytes_ = 0;
  double began_s_, earlier_s_ = 0;
  std::int32_t n_restarts_ = 0;
};

}  // namespace orchard::app
