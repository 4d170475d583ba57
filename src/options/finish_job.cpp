// What only shows between options.

#include <algorithm>

#include "commands.hpp"
#include "orchard/base/text.hpp"
#include "read_job.hpp"

namespace orchard::options {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Finisher {
 public:
  Finisher(const Document& document, Settled& settled, Job& job, Problems& problems)
      : document_(document), settled_(settled), job_(job), problems_(problems) {
    if (!job.grids.empty()) task_ = task_of(job.grids.front().estimator);
  }

  void finish_cv() {
    if (task_) {
      const bool has_classes = *task_ == Task::kClassification;
      settled_.set_default("cv", "cv", {has_classes ? "StratifiedKFold" : "KFold"});
      if (!has_classes && job_.cv.cv == Splitter::kStratifiedKFold) {
        add("cv", "cv",
            "StratifiedKFold needs classes, and this job's learners are regressors. "
            "Use KFold.");
      }
    }
    if (was_refused("cv", "cv")) return;
    if (job_.cv.cv == Splitter::kPredefinedSplit) {
      check_predefined();
    } else {
      if (!job_.cv.fold_file.empty()) {
        add("cv", "fold_file", "fold_file needs cv = PredefinedSplit.");
      }
      if (!job_.cv.fold_column.empty()) {
        add("cv", "fold_column", "fold_column needs cv = PredefinedSplit.");
      }
      if (job_.cv.fold && *job_.cv.fold >= job_.cv.n_splits) {
        add("cv", "fold",
            format("fold = {}: n_splits = {} has folds 0 to {}.", *job_.cv.fold, job_.cv.n_splits,
                   job_.cv.n_splits - 1));
      }
    }
  }

  void finish_search() {
    if (task_) {
      const auto fitting = scorer_choices(*task_);
      settled_.set_default("search", "scoring", {fitting.front()});
      for (const auto& scorer : job_.search.scoring) {
        if (contains(fitting, scorer)) continue;
        add("search", "scoring",
            format("scoring '{}' does not judge {}. Those that do: {}.", scorer,
                   *task_ == Task::kClassification ? "classifiers" : "regressors",
                   join(fitting, ", ")));
      }
    }
    const auto& scoring = job_.search.scoring;
    if (scoring.empty()) return;
    settled_.set_default("search", "refit", {scoring.front()});
    const auto& refit = job_.search.refit;
    const bool is_known = !was_refused("search", "scoring") && !was_refused("search", "refit");
    if (is_known && refit != "none" && !contains(scoring, refit)) {
      add("search", "refit",
          format("refit = {} is not among scoring ({}).", refit, join(scoring, ", ")));
    }
  }

  void check_parallel() {
    if (!job_.parallel.ranks_per_fit || job_.parallel.layout == Layout::kRows) return;
    if (was_refused("parallel", "layout")) return;
    add("parallel", "ranks_per_fit",
        format("ranks_per_fit = {} needs layout = rows: in every other layout it is the program "
               "that chooses.",
               *job_.parallel.ranks_per_fit));
  }

  void finish_checkpoint() {
    settled_.set_default("checkpoint", "checkpoint_dir", {job_.job.output_dir + "/checkpoints"});
    settled_.set_default("checkpoint", "checkpoint_file", {job_.job.name});
  }

  void check_columns() {
    const auto& data = job_.data;
    const auto clash = [&](const char* section, const char* key, const std::string& column,
                           const char* other) {
      add(section, key, format("{} = {}: the same column is {}.", key, escape(column), other));
    };
    if (!data.target.empty()) {
      if (contains(data.drop, data.target)) clash("data", "drop", data.target, "target");
      if (data.weight == data.target) clash("data", "weight", data.target, "target");
      if (job_.cv.fold_column == data.target) clash("cv", "fold_column", data.target, "target");
    }
    if (!data.weight.empty() && data.weight == job_.cv.fold_column) {
      clash("cv", "fold_column", data.weight, "weight");
    }
    for (const auto& column : data.categorical_features) {
      if (contains(data.drop, column)) clash("data", "categorical_features", column, "in drop");
    }
  }

  void check_output() {
    const auto& output = job_.output;
    const std::vector<std::pair<const char*, std::string>> files = {
        {"model", output.model},
        {"cv_results", output.cv_results},
        {"results", output.results},
        {"log", output.log},
        {"predictions", output.predictions}};
    for (std::size_t i = 0; i < files.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (files[i].second != files[j].second) continue;
        const auto* key =
            settled_.is_written("output", files[i].first) ? files[i].first : files[j].first;
        add("output", key,
            format("{} and {} are the same file, '{}'.", files[j].first, files[i].first,
                   escape(files[i].second)));
      }
    }
  }

 private:
  void check_predefined() {
    const bool has_file = !job_.cv.fold_file.empty(), has_column = !job_.cv.fold_column.empty();
    if (has_file == has_column) {
      add("cv", "cv",
          format("PredefinedSplit needs exactly one of fold_file and fold_column; {} "
                 "given.",
                 has_file ? "both are" : "none is"));
    }
    for (const char* key : {"n_splits", "shuffle"}) {
      if (!settled_.is_written("cv", key)) continue;
      job_.notes.push_back(format("{}: {} has no effect with PredefinedSplit.",
                                  document_.place_of("cv", key).where, key));
    }
  }

  /// Written, but not understood: reported already, and no base for further complaints.
  bool was_refused(const std::string& section, const std::string& key) const {
    const auto* at = document_.find(section);
    return at != nullptr && at->find(key) != nullptr && !settled_.is_written(section, key);
  }

  void add(const std::string& section, const std::string& key, const std::string& text) {
    problems_.add(document_.place_of(section, key), text);
  }

  const Document& document_;
  Settled& settled_;
  Job& job_;
  Problems& problems_;
  std::optional<Task> task_;
};

void check_one_point(const Document& document, const Job& job, Problems& problems) {
  if (job.grids.size() > 1) {
    problems.add(document.place_of("grid." + job.grids[1].name),
                 format("train fits one point; this job has {} sub-grids. Keep one [grid.NAME].",
                        job.grids.size()));
    return;
  }
  for (const auto& axis : job.grids.at(0).axes) {
    if (axis.values.size() == 1) continue;
    problems.add(document.place_of("grid." + job.grids[0].name, axis.param),
                 format("{} has {} values; train fits one point.", axis.param, axis.values.size()));
  }
}

}  // namespace

void finish_job(const Document& document, Settled& settled, Job& job, Problems& problems) {
  Finisher finisher(document, settled, job, problems);
  finisher.finish_cv();
  finisher.finish_search();
  finisher.check_parallel();
  finisher.finish_checkpoint();
  finisher.check_columns();
  finisher.check_output();
}

void check_required(Command command, const Document& document, const Job& job, Problems& problems) {
  const auto bit = set_of(command);
  const auto check = [&](const std::string& name, const OptionRow& row) {
    const auto* section = document.find(name);
    const bool is_given = section != nullptr && (section->find(row.name) != nullptr ||
                                                 contains(section->broken_keys, row.name));
    if (is_given) return;
    problems.add(document.place_of(name),
                 format("[{}] lacks '{}', which {} needs.", name, row.name, name_of(command)));
  };
  for (const auto& row : table()) {
    if ((row.required_by & bit) == 0) continue;
    if (row.section != "model") check(row.section, row);
    for (const auto& model : job.models) {
      if (row.section == "model") check("model." + model.name, row);
    }
  }
  const std::string family = command == Command::kPredict ? "model" : "grid";
  const auto& sections = document.sections;
  const bool has_any = std::any_of(sections.begin(), sections.end(), [&](const Section& section) {
    return section.family == family;
  });
  if (!has_any) {
    problems.add({document.path, kWholeFile},
                 format("{} needs at least one section [{}.NAME].", name_of(command), family));
  }
  if (command == Command::kTrain && !job.grids.empty()) check_one_point(document, job, problems);
}

}  // namespace orchard::options
