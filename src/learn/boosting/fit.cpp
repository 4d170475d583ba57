#include "orchard/learn/boosting.hpp"

#include "boosting/engine.hpp"

namespace orchard::learn {

struct BoostingFit::State {
  boosting::Engine engine;
};

BoostingFit::BoostingFit(const FitContext& context, const options::BoostingSettings& settings,
                         std::vector<BoostingMember> members, OnReadout on_readout)
    : state_(new State{
          boosting::Engine(context, settings, std::move(members), std::move(on_readout))}) {}

BoostingFit::~BoostingFit() = default;

bool BoostingFit::is_done() const { return state_->engine.is_done(); }
void BoostingFit::advance() { state_->engine.advance(); }
const std::vector<model::Unit>& BoostingFit::units() const { return state_->engine.units(); }
void BoostingFit::restore(std::vector<model::Unit> units) {
  state_->engine.restore(std::move(units));
}
ModelFrame BoostingFit::frame() const { return state_->engine.frame(); }
int BoostingFit::n_rounds(std::size_t member) const { return state_->engine.n_rounds(member); }

}  // namespace orchard::learn
