#pragma once
// From the sums of a fit's readouts to scores on the fold's test rows.

#include <string>
#include <vector>

#include "orchard/data/binning.hpp"
#include "orchard/learn/fit.hpp"
#include "orchard/search/family.hpp"

namespace orchard::search {

/// Where the binned data of a fold lies. Implemented by whoever owns the memory.
class FoldSource {
 public:
  virtual ~FoldSource() = default;
  /// Data of fold `fold` (kRefitFold: the refit's) with at most `max_bins` bins. Local.
  virtual const data::BinnedData& binned(std::int32_t fold, int max_bins) const = 0;
};

/// Scores of every member of a family on one fold, [n_members][n_scorers], with the reason of each
/// undefined one (empty where defined).
struct MemberScores {
  std::vector<double> scores;
  std::vector<std::string> reasons;
};

/// Judges predictions for all test rows of one fold. Local, one thread.
class Judge {
 public:
  Judge(const data::BinnedData& data, const model::Schema& schema,
        const std::vector<std::string>& scorers);

  /// Writes the scores of one readout to row `member` of `out`. `sums`: [n_test][n_outputs].
  void score(const learn::ModelFrame& frame, std::size_t n_trees,
             std::span<const std::int64_t> sums, std::size_t member, MemberScores& out) const;
  /// Marks row `member` as undefined.
  void fail(const std::string& reason, std::size_t member, MemberScores& out) const;
  MemberScores empty(std::size_t n_members) const;

 private:
  const data::BinnedData& data_;
  const model::Schema& schema_;
  const std::vector<std::string>& scorers_;
};

/// Scores the members of one stage of a forest. `sums`: of the first `stages[stage]` trees at every
/// cut, [n_cuts][n_test][n_outputs].
void score_stage(const Family& family, std::size_t stage, const learn::ModelFrame& frame,
                 const Judge& judge, std::span<const std::int64_t> sums, MemberScores& out);

}  // namespace orchard::search
