#pragma once
// Where a job's checkpoints go.

#include "orchard/base/clock.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/text.hpp"
#include "orchard/run/scheduler.hpp"
#include "orchard/store/checkpoint.hpp"

namespace orchard::app {

/// Connects the scheduler, which knows no files, with the store, which knows no schedule.
class StoreSink : public run::CheckpointSink {
 public:
  explicit StoreSink(store::CheckpointStore& store) : store_(store) {}
  std::size_t save(const search::Snapshot& snapshot) override {
    const double begin_s = monotonic_s();
    const auto n_bytes = save_or_leave(snapshot);
    log::info(format("checkpoint {} ({}, {:.2f} s)", store_.last_path(), print_bytes(n_bytes),
                     monotonic_s() - begin_s));
    return n_bytes;
  }

 private:
  /// A job that has lost its place to another must end, not try again.
  std::size_t save_or_leave(const search::Snapshot& snapshot) {
    try {
      return store_.save(snapshot);
    } catch (const Error& error) {
      if (store_.owns_place()) throw;
      throw Error(ErrorKind::kResume, error.message(), error.where(), error.hint());
    }
  }

  store::CheckpointStore& store_;
};

}  // namespace orchard::app
