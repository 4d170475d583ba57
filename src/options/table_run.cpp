// Rows of how it is run and what comes out: [parallel] [checkpoint] [output], and of the sections
// that have names, [model.NAME] and [grid.NAME].

#include "row_forms.hpp"

namespace orchard::options {
namespace {

std::vector<OptionRow> parallel_section() {
  return {
      {.section = "parallel",
       .name = "n_jobs",
       .accepts = {.words = {"auto"}, .integers = IntegerRange{-65536, 65536, false}},
       .default_text = "auto",
       .unit = "threads",
       .help = "Threads of each rank; auto is the rank's share of the cores it may use. Negative "
               "as in joblib: -1 all of them, -2 all but one.",
       .short_option = "n-jobs",
       .commands = kEveryJob,
       .store = into(&Job::parallel, &ParallelSettings::n_jobs)},
      {.section = "parallel",
       .name = "oversubscribe",
       .accepts = boolean(),
       .default_text = "false",
       .help = "Whether more threads than cores are allowed; otherwise they are an error.",
       .commands = kEveryJob,
       .store = into(&Job::parallel, &ParallelSettings::oversubscribe)},
      {.section = "parallel",
       .name = "bind_to",
       .accepts = choice({"numa", "none"}),
       .default_text = "numa",
       .help = "Where ranks run that the launcher has not bound: numa, each on the cores of one "
               "NUMA domain of its node, where the domains' ranks and threads fit on them; none, "
               "anywhere.",
       .commands = kEveryJob,
       .store = into(&Job::parallel, &ParallelSettings::bind_to)},
      {.section = "parallel",
       .name = "layout",
       .accepts = choice({"auto", "replicated", "rows", "trees"}),
       .default_text = "auto",
       .help =
           "How fits are spread over ranks: replicated, whole fits on one rank each; rows, a "
           "fit by a group of ranks with a share of its rows each; trees, forests in "
           "blocks of trees; auto, a rank a fit, forests in blocks of trees where fits are few, "
           "idle ranks joining boosting fits on their node in which each keeps 8,192 rows and a "
           "split takes one rank half a millisecond or more. A layout that cannot be had "
           "is refused. No result depends on it.",
       .commands = kFitting,
       .store = into(&Job::parallel, &ParallelSettings::layout)},
      {.section = "parallel",
       .name = "ranks_per_fit",
       .accepts = integer(1, 1000000, {"auto"}),
       .default_text = "auto",
       .unit = "ranks",
       .help = "Ranks of a group, for layout = rows; auto is all ranks, or those of a node where "
               "there are at least as many fits as nodes.",
       .commands = kFitting,
       .store = into(&Job::parallel, &ParallelSettings::ranks_per_fit)},
      {.section = "parallel",
       .name = "watchdog",
       .accepts = real(RealRange{.min = 1, .max = 1e9, .adds_zero = true}),
       .default_text = "600",
       .unit = "seconds",
       .help =
           "A rank that makes no progress for so long is named, with what the others wait for, "
           "and the job ends; slow work on files may take ten times as long. A process that was "
           "stopped as a whole, alone on its node, is missed only by ranks that wait for its "
           "answer, after ten times as long or an hour. 0: nobody watches.",
       .commands = kEveryJob,
       .store = into(&Job::parallel, &ParallelSettings::watchdog)},
  };
}

std::vector<OptionRow> checkpoint_section() {
  return {
      {.section = "checkpoint",
       .name = "checkpoint_dir",
       .accepts = path(),
       .default_rule = "job.output_dir + /checkpoints",
       .help = "Folder of the checkpoints.",
       .commands = kFitting,
       .example = "out/checkpoints",
       .store = into(&Job::checkpoint, &CheckpointSettings::checkpoint_dir)},
      {.section = "checkpoint",
       .name = "checkpoint_file",
       .accepts = plain_name(),
       .default_rule = "job.name",
       .help = "Base name of the checkpoints.",
       .commands = kFitting,
       .example = "orchard",
       .store = into(&Job::checkpoint, &CheckpointSettings::checkpoint_file)},
      {.section = "checkpoint",
       .name = "checkpoint_max_files",
       .accepts = integer(1, 10000),
       .default_text = "3",
       .unit = "files",
       .help = "Checkpoints that are kept; older ones are deleted, never the last verified one.",
       .commands = kFitting,
       .store = into(&Job::checkpoint, &CheckpointSettings::checkpoint_max_files)},
      {.section = "checkpoint",
       .name = "interval",
       .accepts = real(RealRange{.min = 0, .max = 1e9, .is_min_open = true}),
       .default_text = "300",
       .unit = "seconds",
       .help = "Time between checkpoints; stretched where writing them would cost much.",
       .commands = kFitting,
       .store = into(&Job::checkpoint, &CheckpointSettings::interval)},
      {.section = "checkpoint",
       .name = "resume_from_checkpoint",
       .accepts = path({"auto", "none"}),
       .default_text = "auto",
       .help = "auto continues from the newest usable checkpoint of this job, none starts anew, a "
               "file continues from that file.",
       .short_option = "resume",
       .commands = kFitting,
       .store = into_word(&Job::checkpoint, &CheckpointSettings::resume_from_checkpoint)},
  };
}

std::vector<OptionRow> output_section() {
  return {
      {.section = "output",
       .name = "model",
       .accepts = path(),
       .default_text = "model.h5",
       .help = "Refitted or trained model. Names in this section are relative to job.output_dir.",
       .commands = kFitting,
       .store = into(&Job::output, &OutputSettings::model)},
      {.section = "output",
       .name = "cv_results",
       .accepts = path(),
       .default_text = "cv_results.csv",
       .help = "Table of all points, with the columns of scikit-learn's cv_results_.",
       .commands = kSearching,
       .store = into(&Job::output, &OutputSettings::cv_results)},
      {.section = "output",
       .name = "results",
       .accepts = path(),
       .default_text = "results.h5",
       .help = "The same results with every setting, for programs.",
       .commands = kSearching,
       .store = into(&Job::output, &OutputSettings::results)},
      {.section = "output",
       .name = "log",
       .accepts = path(),
       .default_text = "run.log",
       .help = "Log of the run; restarts append to it.",
       .commands = kEveryJob,
       .store = into(&Job::output, &OutputSettings::log)},
      {.section = "output",
       .name = "predictions",
       .accepts = path(),
       .default_text = "predictions.csv",
       .help = "Predictions of all models, one line a row, in the order of the input.",
       .commands = kPredicting,
       .store = into(&Job::output, &OutputSettings::predictions)},
  };
}

std::vector<OptionRow> model_section() {
  return {
      {.section = "model",
       .name = "file",
       .accepts = path(),
       .default_rule = "required",
       .help = "Model file that a search or train has written.",
       .affects_result = true,
       .commands = kPredicting,
       .required_by = kPredicting,
       .example = "out/model.h5",
       .store = into(&ModelSection::file)},
      {.section = "model",
       .name = "method",
       .accepts = choice({"predict", "predict_proba"}),
       .default_text = "predict",
       .help = "predict gives the class or the value, predict_proba one probability a class.",
       .affects_result = true,
       .commands = kPredicting,
       .store = into(&ModelSection::method)},
  };
}

std::vector<OptionRow> grid_section() {
  std::vector<std::string> names;
  for (const auto estimator : estimators()) names.push_back(name_of(estimator));
  return {
      {.section = "grid",
       .name = "estimator",
       .accepts = choice(std::move(names)),
       .default_rule = "required, unless like gives it",
       .help = "Learner of the sub-grid.",
       .affects_result = true,
       .commands = kFitting},
      {.section = "grid",
       .name = "like",
       .accepts = plain_name(),
       .default_rule = "no other",
       .help = "Name of another sub-grid whose lines are copied first; lines here replace them.",
       .affects_result = true,
       .commands = kFitting},
  };
}

}  // namespace

std::vector<OptionRow> run_rows() {
  std::vector<OptionRow> rows;
  for (const auto& section : {parallel_section(), checkpoint_section(), output_section(),
                              model_section(), grid_section()}) {
    rows.insert(rows.end(), section.begin(), section.end());
  }
  return rows;
}

}  // namespace orchard::options
