#pragma once
// The test rows of a fit as walks take them, and trees made ready to walk them.

#include <vector>

#include "orchard/data/binning.hpp"
#include "orchard/model/code_walk.hpp"

namespace orchard::learn {

/// Test rows [begin, end) of a fit, coded: the bins of all features, but model::kMissingCode for
/// the missing bin. A copy. Local.
class TestRows {
 public:
  TestRows(const data::BinnedData& data, RowIndex begin, RowIndex end);
  const model::CodeRows& rows() const { return rows_; }
  RowIndex begin() const { return begin_; }

 private:
  RowIndex begin_;
  std::vector<Bin> codes_, columns_;
  model::CodeRows rows_;
};

/// `tree` for walking such rows to its leaves. Throws kData when a threshold is no cut of
/// `binning`.
model::CodeTree code_tree(const model::Tree& tree, const data::Binning& binning);

}  // namespace orchard::learn
