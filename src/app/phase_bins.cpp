#include "phase_bins.hpp"

namespace orchard::app {

PhaseBins::PhaseBins(Session& session, const data::Table& table,
                     const std::vector<run::FoldNeed>& needs,
                     std::optional<comm::Communicator>& group) {
  const auto seed = session.job().job.random_state;
  if (group) {
    shares_ = std::make_unique<run::ShareStore>(*group, session.node(), table, needs, seed,
                                                session.pool());
  } else {
    folds_ = std::make_unique<run::FoldStore>(session.node(), table, needs, seed, session.pool());
  }
}

void PhaseBins::release(comm::Communicator& node) {
  if (folds_ != nullptr) folds_->release(node);
  if (shares_ != nullptr) shares_->release(node);
}

const search::FoldSource& PhaseBins::source() const {
  if (shares_ != nullptr) return *shares_;
  return *folds_;
}

}  // namespace orchard::app
