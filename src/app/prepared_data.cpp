#include "prepared_data.hpp"

#include <algorithm>
#include <map>

#include "orchard/base/log.hpp"
#include "orchard/base/text.hpp"

namespace orchard::app {
namespace {

std::vector<std::int32_t> fold_numbers(const options::CvSettings& cv, const data::Table& table) {
  if (cv.cv != options::Splitter::kPredefinedSplit) return {};
  if (!cv.fold_file.empty()) return data::read_fold_file(cv.fold_file, table.n_rows);
  return {table.fold.begin(), table.fold.end()};
}

std::string digest_of(const std::vector<data::Fold>& folds) {
  Digester digester;
  for (const auto& fold : folds) {
    digester.add(std::as_bytes(std::span(fold.train)));
    digester.add(std::as_bytes(std::span(fold.test)));
  }
  return digester.value().hex();
}

data::Fold one_fold(const std::vector<data::Fold>& folds, std::int64_t number) {
  if (number < 0 || number >= static_cast<std::int64_t>(folds.size())) {
    throw Error(ErrorKind::kUsage,
                format("fold {} does not exist: the splitter makes folds 0 to {}", number,
                       folds.size() - 1),
                "cv.fold");
  }
  return folds[static_cast<std::size_t>(number)];
}

/// What the table already shows to be impossible, before anything is trained.
void check_scorers(const options::SearchSettings& search, const model::Schema& schema) {
  const bool has_roc_auc =
      std::find(search.scoring.begin(), search.scoring.end(), "roc_auc") != search.scoring.end();
  if (has_roc_auc && schema.n_classes() != 2) {
    throw Error(ErrorKind::kUsage,
                format("roc_auc judges two classes, the target {} has {}", schema.target,
                       schema.n_classes()),
                "search.scoring", "Use roc_auc_ovr.");
  }
}

/// A column of numbers with a few words in it is a category only by accident.
void warn_of_accidental_categories(const options::DataSettings& data, const model::Schema& schema) {
  for (const auto& feature : schema.features) {
    const auto n_numbers =
        std::count_if(feature.levels.begin(), feature.levels.end(),
                      [](const auto& level) { return parse_double(trim(level)).has_value(); });
    const auto& declared = data.categorical_features;
    if (n_numbers == 0 ||
        std::find(declared.begin(), declared.end(), feature.name) != declared.end()) {
      continue;
    }
    log::warning(
        format("column '{}' is taken as categorical, though {} of its {} levels are "
               "numbers; only an empty cell is missing. Name it in "
               "categorical_features if that is meant",
               escape(feature.name), n_numbers, feature.levels.size()));
  }
}

}  // namespace

PreparedData prepare_data(Session& session) {
  const auto& job = session.job();
  data::ReadRequest request;
  request.target = job.data.target;
  request.task = options::task_of(job.grids.front().estimator);
  request.drop = job.data.drop;
  request.categorical_features = job.data.categorical_features;
  request.weight = job.data.weight;
  request.fold_column = job.cv.fold_column;

  PreparedData out;
  out.loaded = run::load_table(session.world(), session.node(), job.data.train, request,
                               session.pool(), run::Features::kOnDemand);
  const auto& table = out.loaded.table;
  session.world().together([&] {
    check_scorers(job.search, table.schema);
    if (session.is_root()) warn_of_accidental_categories(job.data, table.schema);
    if (session.is_root() && job.cv.fold && session.command() != options::Command::kTrain) {
      log::warning("cv.fold is for train; it is ignored here");
    }
    const bool needs_folds =
        session.command() != options::Command::kTrain || job.cv.fold.has_value();
    if (needs_folds) {
      out.folds =
          data::make_folds(job.cv, table, fold_numbers(job.cv, table), job.job.random_state);
    }
    out.fold_digest = digest_of(out.folds);
    out.refit_rows = data::whole_table(table.n_rows);
    if (session.command() == options::Command::kTrain) {
      if (job.cv.fold) out.refit_rows = one_fold(out.folds, *job.cv.fold);
      out.folds.clear();
    }
  });
  out.shape = {table.n_rows, table.schema.n_features(), table.schema.n_classes(), table.schema.task,
               !table.weight.empty()};
  return out;
}

std::vector<run::FoldNeed> fold_needs(const std::vector<search::Family>& families,
                                      const std::vector<data::Fold>& folds) {
  std::map<int, bool> binnings;  // max_bins -> with rows
  for (const auto& family : families) {
    auto& with_rows = binnings[family.max_bins()];
    with_rows = with_rows || !family.is_forest();
  }
  std::vector<run::FoldNeed> needs;
  for (std::size_t fold = 0; fold < folds.size(); ++fold) {
    for (const auto& [max_bins, with_rows] : binnings) {
      needs.push_back({static_cast<std::int32_t>(fold), &folds[fold], max_bins, with_rows});
    }
  }
  return needs;
}

}  // namespace orchard::app
