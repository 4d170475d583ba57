#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "orchard/run/share_store.hpp"
#include "session.hpp"

namespace orchard::app {

/// The binned data of a phase: whole folds, once per node; or, where groups of ranks grow a fit
/// together, each rank's share of the rows alone.
class PhaseBins {
 public:
  /// Collective over the world. `group`: this rank's, where the layout has groups.
  PhaseBins(Session& session, const data::Table& table, const std::vector<run::FoldNeed>& needs,
            std::optional<comm::Communicator>& group);
  /// Collective over the node.
  void release(comm::Communicator& node);

  const search::FoldSource& source() const;
  bool has_shares() const { return shares_ != nullptr; }
  std::size_t n_shared_bytes() const {
    return folds_ != nullptr ? folds_->n_bytes() : shares_->n_shared_bytes();
  }

 private:
  std::unique_ptr<run::FoldStore> folds_;  // one of the two
  std::unique_ptr<run::ShareStore> shares_;
};

}  // namespace orchard::app
