#include "orchard/search/judge.hpp"

#include <limits>

#include "orchard/metric/scorer.hpp"

namespace orchard::search {

Judge::Judge(const data::BinnedData& data, const model::Schema& schema,
             const std::vector<std::string>& scorers)
    : data_(data), schema_(schema), scorers_(scorers) {}

MemberScores Judge::empty(std::size_t n_members) const {
  MemberScores out;
  out.scores.assign(n_members * scorers_.size(), std::numeric_limits<double>::quiet_NaN());
  out.reasons.assign(n_members * scorers_.size(), {});
  return out;
}

void Judge::score(const learn::ModelFrame& frame, std::size_t n_trees,
                  std::span<const std::int64_t> sums, std::size_t member, MemberScores& out) const {
  const std::size_t n_test = data_.test_share.n;
  const bool is_classification = schema_.task == Task::kClassification;
  const model::Link link{schema_.task, frame.combine, frame.n_outputs, frame.value_exponent,
                         schema_.n_classes()};
  std::vector<double> predictions(n_test * (is_classification ? schema_.n_classes() : 1));
  model::predictions_from_sums(link, n_trees, sums, predictions);

  metric::Truth truth;
  truth.task = schema_.task;
  truth.n_classes = schema_.n_classes();
  truth.target = data_.test_target();
  truth.weight = data_.test_weight();
  for (std::size_t scorer = 0; scorer < scorers_.size(); ++scorer) {
    const auto score = metric::score(scorers_[scorer], truth, predictions);
    out.scores[member * scorers_.size() + scorer] = score.value;
    out.reasons[member * scorers_.size() + scorer] = score.reason;
  }
}

void score_stage(const Family& family, std::size_t stage, std::size_t leaf_size,
                 const learn::ModelFrame& frame, const Judge& judge,
                 std::span<const std::int64_t> sums, MemberScores& out) {
  const std::size_t n_per_cut = sums.size() / family.cut_settings.size();
  for (std::size_t member = 0; member < family.members.size(); ++member) {
    if (family.members[member].stage != static_cast<std::int32_t>(stage) ||
        family.members[member].leaf_size != static_cast<std::int32_t>(leaf_size)) {
      continue;
    }
    const auto cut = static_cast<std::size_t>(family.members[member].cut);
    judge.score(frame, static_cast<std::size_t>(family.stages[stage]),
                sums.subspan(cut * n_per_cut, n_per_cut), member, out);
  }
}

void fail_member(const Family& family, std::size_t member, const std::string& failure,
                 MemberScores& out) {
  out.failures.resize(family.members.size());
  out.failures[member] = failure;
}

void fail_stages(const Family& family, std::size_t first_stage, const std::string& failure,
                 MemberScores& out) {
  for (std::size_t member = 0; member < family.members.size(); ++member) {
    if (family.members[member].stage >= static_cast<std::int32_t>(first_stage)) {
      fail_member(family, member, failure, out);
    }
  }
}

}  // namespace orchard::search
