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
  /// [n_members]: why the fit failed before the member had all that it needs, or empty; no entries
  /// when none did.
  std::vector<std::string> failures;
};

/// Judges predictions for all test rows of one fold. Local, one thread.
class Judge {
 public:
  Judge(const data::BinnedData& data, const model::Schema& schema,
        const std::vector<std::string>& scorers);

  /// Writes the scores of one readout to row `member` of `out`. `sums`: [n_test][n_outputs].
  void score(const learn::ModelFrame& frame, std::size_t n_trees,
             std::span<const std::int64_t> sums, std::size_t member, MemberScores& out) const;
  MemberScores empty(std::size_t n_members) const;

 private:
  const data::BinnedData& data_;
  const model::Schema& schema_;
  const std::vector<std::string>& scorers_;
};

/// Scores the members of one stage and leaf size of a forest. `sums`: of the first `stages[stage]`
/// trees at every cut, [n_cuts][n_test][n_outputs].
void score_stage(const Family& family, std::size_t stage, std::size_t leaf_size,
                 const learn::ModelFrame& frame, const Judge& judge,
                 std::span<const std::int64_t> sums, MemberScores& out);
/// Says why a member has no scores.
void fail_member(const Family& family, std::size_t member, const std::string& failure,
                 MemberScores& out);
/// Says it of the members of a forest's stages from `first_stage` on.
void fail_stages(const Family& family, std::size_t first_stage, const std::string& failure,
                 MemberScores& out);

}  // namespace orchard::search
