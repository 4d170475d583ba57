// Rows of what is computed: [job] [data] [cv] [search].

#include "row_forms.hpp"

namespace orchard::options {
namespace {

std::vector<OptionRow> job_section() {
  return {
      {.section = "job",
       .name = "name",
       .accepts = plain_name(),
       .default_text = "orchard",
       .help = "Name of the job in logs, reports and checkpoint files.",
       .commands = kEveryJob,
       .store = into(&Job::job, &JobSettings::name)},
      {.section = "job",
       .name = "output_dir",
       .accepts = path(),
       .default_text = "out",
       .help = "Folder of everything the job writes; it is made when it does not exist.",
       .short_option = "output-dir",
       .commands = kEveryJob,
       .store = into(&Job::job, &JobSettings::output_dir)},
      {.section = "job",
       .name = "random_state",
       .accepts = integer(0),
       .default_text = "0",
       .help = "Seed of every random choice. Equal seeds give equal results on any number of "
               "ranks and threads; 0 is a seed like any other.",
       .short_option = "random-state",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::job, &JobSettings::random_state)},
      {.section = "job",
       .name = "verbose",
       .accepts = integer(0, 2),
       .default_text = "1",
       .help = "How much is printed: 0 warnings and results (-q), 1 progress, 2 every step (-v).",
       .commands = kEveryJob,
       .store = into(&Job::job, &JobSettings::verbose)},
  };
}

std::vector<OptionRow> data_section() {
  return {
      {.section = "data",
       .name = "train",
       .accepts = path(),
       .default_rule = "required",
       .help = "Training data: a CSV file with a header line, or an HDF5 file with the datasets x "
               "and those named by target, weight and fold_column. Relative to the working "
               "directory.",
       .commands = kFitting,
       .required_by = kFitting,
       .example = "data/train.csv",
       .store = into(&Job::data, &DataSettings::train)},
      {.section = "data",
       .name = "input",
       .accepts = path(),
       .default_rule = "required by predict",
       .help =
           "Data to predict: a CSV or HDF5 file with the features that the models were trained on.",
       .commands = kPredicting,
       .required_by = kPredicting,
       .example = "data/new.csv",
       .store = into(&Job::data, &DataSettings::input)},
      {.section = "data",
       .name = "target",
       .accepts = column(),
       .default_rule = "required",
       .help = "Column to learn: classes for a classifier, numbers for a regressor.",
       .affects_result = true,
       .commands = kFitting,
       .required_by = kFitting,
       .example = "target",
       .store = into(&Job::data, &DataSettings::target)},
      {.section = "data",
       .name = "drop",
       .accepts = columns(),
       .default_text = "none",
       .help = "Columns that are no features, such as row numbers and names of customers.",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::data, &DataSettings::drop)},
      {.section = "data",
       .name = "categorical_features",
       .accepts = columns(),
       .default_text = "none",
       .help = "Columns of numbers whose order means nothing. Columns of text are categorical "
               "without being named here.",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::data, &DataSettings::categorical_features)},
      {.section = "data",
       .name = "weight",
       .accepts = column({"none"}),
       .default_text = "none",
       .help = "Column of sample weights, used in fitting and in scoring; no feature then.",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::data, &DataSettings::weight)},
  };
}

std::vector<OptionRow> cv_section() {
  return {
      {.section = "cv",
       .name = "cv",
       .accepts = choice({"KFold", "StratifiedKFold", "PredefinedSplit"}),
       .default_rule = "StratifiedKFold for classifiers, KFold for regressors",
       .help = "How rows are split into folds; PredefinedSplit reads them from fold_file or "
               "fold_column.",
       .affects_result = true,
       .commands = kFitting,
       .example = "StratifiedKFold",
       .store = into(&Job::cv, &CvSettings::cv)},
      {.section = "cv",
       .name = "n_splits",
       .accepts = integer(2, 10000),
       .default_text = "5",
       .help = "Number of folds of KFold and StratifiedKFold.",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::cv, &CvSettings::n_splits)},
      {.section = "cv",
       .name = "shuffle",
       .accepts = boolean(),
       .default_text = "false",
       .help = "Whether rows are shuffled (by random_state) before they are split.",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::cv, &CvSettings::shuffle)},
      {.section = "cv",
       .name = "fold_file",
       .accepts = path({"none"}),
       .default_text = "none",
       .help = "PredefinedSplit: text file with the test fold of each row, one number a line; "
               "-1 is never a test row.",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::cv, &CvSettings::fold_file)},
      {.section = "cv",
       .name = "fold_column",
       .accepts = column({"none"}),
       .default_text = "none",
       .help = "PredefinedSplit: column with the test fold of each row; no feature then.",
       .affects_result = true,
       .commands = kFitting,
       .store = into(&Job::cv, &CvSettings::fold_column)},
      {.section = "cv",
       .name = "fold",
       .accepts = integer(0, kMaxInteger, {"none"}),
       .default_text = "none",
       .help = "train: fit only the training rows of this fold (the first is 0), exactly as the "
               "search did; none fits all rows.",
       .affects_result = true,
       .commands = set_of(Command::kTrain),
       .store = into(&Job::cv, &CvSettings::fold)},
  };
}

std::vector<OptionRow> search_section() {
  return {
      {.section = "search",
       .name = "strategy",
       .accepts = choice({"grid"}),
       .default_text = "grid",
       .help = "How points are chosen: grid tries every combination of every sub-grid.",
       .affects_result = true,
       .commands = kSearching,
       .store = into(&Job::search, &SearchSettings::strategy)},
      {.section = "search",
       .name = "scoring",
       .accepts = choices(scorer_choices()),
       .default_rule = "accuracy for classifiers, r2 for regressors",
       .help = "Scorers, by scikit-learn's names; greater is better for every one.",
       .affects_result = true,
       .commands = kSearching,
       .example = "accuracy",
       .store = into(&Job::search, &SearchSettings::scoring)},
      {.section = "search",
       .name = "refit",
       .accepts = choice(with(scorer_choices(), "none")),
       .default_rule = "the first of scoring",
       .help = "Scorer that picks the best point, which is then fitted to all rows and saved as "
               "the model; none skips both.",
       .affects_result = true,
       .commands = kSearching,
       .example = "accuracy",
       .store = into_word(&Job::search, &SearchSettings::refit)},
      {.section = "search",
       .name = "share_fits",
       .accepts = boolean(),
       .default_text = "true",
       .help = "Whether points that are prefixes or prunings of one larger fit share it. The "
               "results are the same bytes either way.",
       .commands = kSearching,
       .store = into(&Job::search, &SearchSettings::share_fits)},
  };
}

}  // namespace

std::vector<OptionRow> job_rows() {
  std::vector<OptionRow> rows;
  for (const auto& section : {job_section(), data_section(), cv_section(), search_section()}) {
    rows.insert(rows.end(), section.begin(), section.end());
  }
  return rows;
}

}  // namespace orchard::options
