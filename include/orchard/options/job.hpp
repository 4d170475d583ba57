#pragma once
// A job file with everything resolved: defaults < job file < environment < command line.

#include <optional>
#include <string>
#include <vector>

#include "orchard/options/learner_settings.hpp"

namespace orchard::options {

struct JobSettings {
  std::string name = "orchard";
  std::string output_dir = "out";
  std::uint64_t random_state = 0;
  std::int64_t verbose = 1;
};

struct DataSettings {
  std::string train;  ///< search, train
  std::string input;  ///< predict
  std::string target;
  std::vector<std::string> drop;
  std::vector<std::string> categorical_features;
  std::string weight;  ///< column of sample weights, empty: none
};

enum class Splitter : std::uint8_t { kKFold, kStratifiedKFold, kPredefinedSplit };

struct CvSettings {
  Splitter cv = Splitter::kKFold;  ///< default: StratifiedKFold for classifiers
  std::int64_t n_splits = 5;
  bool shuffle = false;
  std::string fold_file;    ///< PredefinedSplit: one test fold number a line, -1 = always training
  std::string fold_column;  ///< PredefinedSplit: the same from a column, which is no feature then
  std::optional<std::int64_t> fold;  ///< `train`: only this fold's training rows
};

struct SearchSettings {
  std::string strategy = "grid";
  std::vector<std::string> scoring;  ///< default accuracy or r2
  std::string refit;                 ///< scorer that picks the best point; "none": no refit
  bool share_fits = true;
};

/// How the work is spread over ranks; none of them changes a result.
enum class Layout : std::uint8_t {
  kAuto,        ///< as seems best, rank by rank while the job runs
  kReplicated,  ///< a fit is one rank's
  kRows,        ///< groups of ranks, each rank with its share of a fit's rows
  kTrees        ///< forests: a fit's trees in blocks
};

/// Where the threads of a rank that the launcher has left unbound may run.
enum class BindTo : std::uint8_t { kNuma, kNone };

struct ParallelSettings {
  std::optional<std::int64_t> n_jobs;  ///< threads a rank; none: the rank's share of its cores
  bool oversubscribe = false;
  BindTo bind_to = BindTo::kNuma;
  Layout layout = Layout::kAuto;
  std::optional<std::int64_t> ranks_per_fit;  ///< of layout rows
  double watchdog = 600;  ///< seconds without progress after which the job ends; 0: never
};

struct CheckpointSettings {
  std::string checkpoint_dir;   ///< default OUTPUT_DIR/checkpoints
  std::string checkpoint_file;  ///< base name, default the job's name
  std::int64_t checkpoint_max_files = 3;
  double interval = 300;                        ///< seconds
  std::string resume_from_checkpoint = "auto";  ///< auto, none, or a file
};

struct OutputSettings {
  std::string model = "model.h5";
  std::string cv_results = "cv_results.csv";
  std::string results = "results.h5";
  std::string log = "run.log";
  std::string predictions = "predictions.csv";
};

/// One [grid.NAME] section after `like` and [estimator]: a dictionary of lists, as in
/// scikit-learn's param_grid.
struct SubGrid {
  std::string name;
  Estimator estimator = Estimator::kRandomForestClassifier;
  struct Axis {
    std::string param;
    std::vector<ParamValue> values;  ///< at least one, no duplicates, in written order
  };
  std::vector<Axis> axes;  ///< in the order written; parameters not written are at their default
};

enum class Method : std::uint8_t { kPredict, kPredictProba };

/// One [model.NAME] section.
struct ModelSection {
  std::string name;
  std::string file;
  Method method = Method::kPredict;
};

struct Job {
  std::string path;
  JobSettings job;
  DataSettings data;
  CvSettings cv;
  SearchSettings search;
  ParallelSettings parallel;
  CheckpointSettings checkpoint;
  OutputSettings output;
  std::vector<SubGrid> grids;
  std::vector<ModelSection> models;

  /// Every option's resolved value and where it came from, in table order, then the grids' and
  /// models' sections: what run.log and the result file record.
  struct Resolved {
    std::string key;     ///< "cv.n_splits"
    std::string value;   ///< as it would be written in a job file
    std::string origin;  ///< "default", "jobs/x.cfg:12", "environment", "command line"
    bool affects_result = false;
  };
  std::vector<Resolved> resolved;

  /// What the reader of a job should know though nothing is wrong: "jobs/x.cfg:12: max_depth: the
  /// value 8 stands twice; ...".
  std::vector<std::string> notes;
};

}  // namespace orchard::options
