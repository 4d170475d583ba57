#pragma once
// The one table of options. The parser, --help, `orchard list`, docs/options.md,
// configs/defaults.cfg and the record of a run are made from it: adding an option is a row here
// and a member in job.hpp or learner_settings.hpp.

#include <limits>

#include "orchard/options/parse.hpp"
#include "store.hpp"

namespace orchard::options {

struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  bool has_zero = true;
};

struct RealRange {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
  bool is_min_open = false, is_max_open = false;
  bool adds_zero = false;  ///< which lies below
};

enum class TextKind : std::uint8_t {
  kNone,
  kPath,    ///< nothing in it is expanded
  kColumn,  ///< of the data file
  kName,    ///< becomes part of file names: letters, digits, '.', '_', '-'; no '.' first
};

/// What a value may be: it fits when it fits one of these.
struct Accepts {
  std::vector<std::string> words = {};  ///< "none", "true", "sqrt", ...
  std::optional<IntegerRange> integers = {};
  std::optional<RealRange> reals = {};  ///< whole numbers too, unless `integers` takes those
  TextKind text = TextKind::kNone;
  bool is_list = false;
};

/// Bit 1 << Command; bit 1 << Estimator.
using CommandSet = unsigned;
using EstimatorSet = unsigned;
constexpr CommandSet set_of(Command command) { return 1U << static_cast<unsigned>(command); }
constexpr EstimatorSet set_of(Estimator estimator) {
  return 1U << static_cast<unsigned>(estimator);
}

struct OptionRow {
  std::string section = {};  ///< "grid" and "model" stand for [grid.NAME] and [model.NAME]
  std::string name = {};
  Accepts accepts = {};
  std::string default_text = {};  ///< as written in a job file; empty: `default_rule` decides
  std::string default_rule = {};  ///< in words, or "required"
  std::string unit = {};
  std::string help = {};          ///< ends with a full stop
  std::string short_option = {};  ///< "--n-jobs", without the dashes
  bool is_axis = false;           ///< may hold a list of values in a [grid.NAME] section
  bool affects_result = false;    ///< may not change between a run and its resumption
  CommandSet commands = 0;        ///< that use it
  CommandSet required_by = 0;     ///< that cannot do without it
  EstimatorSet estimators = 0;    ///< learner parameters: whose it is
  std::string example = {};       ///< shown in the example job file when there is no default
  Store store = {};
  Values default_values = {};  ///< `default_text` read; filled in by table()
};

/// All rows, in the order of every listing.
const std::vector<OptionRow>& table();
/// An option that is no learner parameter, or nullptr.
const OptionRow* find_option(const std::string& section, const std::string& name);
/// A parameter of `estimator`, or nullptr.
const OptionRow* find_param(Estimator estimator, const std::string& name);
/// Parameters of one estimator in table order.
const std::vector<const OptionRow*>& params_of(Estimator estimator);
/// Keys that [section] may hold, each once; learner parameters are in "grid" and "estimator".
std::vector<std::string> names_in(const std::string& section);

/// Sections that exist once: job, data, cv, search, parallel, checkpoint, output, estimator.
const std::vector<std::string>& plain_sections();
/// "section.name" of every key that a job file may hold; "grid.*" and "model.*" stand for theirs.
std::vector<std::string> file_keys();
/// One sentence about a section, for listings.
std::string section_help(const std::string& section);

const std::vector<Estimator>& estimators();
std::optional<Estimator> find_estimator(const std::string& name);

std::vector<std::string> scorer_choices();
std::vector<std::string> scorer_choices(Task task);

/// The parts of the table.
std::vector<OptionRow> job_rows();
std::vector<OptionRow> run_rows();
std::vector<OptionRow> learner_rows();

}  // namespace orchard::options
