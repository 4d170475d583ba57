#pragma once
// A job as written: sections of key = value lines from the file, with the lines that the
// environment and the command line put over them.

#include "orchard/options/parse.hpp"
#include "problems.hpp"

namespace orchard::options {

struct Written {
  std::string key, value;
  Place place;
  std::string origin;  ///< for the record of the run: "jobs/x.cfg:12", "environment", ...
};

struct Section {
  std::string name;    ///< "cv", "grid.forest"
  std::string family;  ///< "cv", "grid": what the table knows it by
  Place place;
  std::vector<Written> lines;            ///< every key once
  std::vector<std::string> broken_keys;  ///< of lines that were reported and not read

  const Written* find(const std::string& key) const;
};

struct Document {
  std::string path;
  std::vector<Section> sections;  ///< of known names only, each once, in written order

  Section* find(const std::string& name);
  const Section* find(const std::string& name) const;
  /// Where a complaint about something missing from [section] stands.
  Place place_of(const std::string& section, const std::string& key = {}) const;
};

/// "cv" -> "cv", "grid.forest" -> "grid"; nothing for a name that no section may have.
std::optional<std::string> section_family(const std::string& name);

/// Splits the file into lines, refuses what Boost.ProgramOptions would misread, lets it parse the
/// rest, and collects every problem.
Document read_document(const std::string& path, const std::string& text, Problems& problems);

/// Puts ORCHARD_SECTION__KEY variables, then command line overrides over the file's lines.
void apply_environment(const std::vector<std::pair<std::string, std::string>>& environment,
                       Document& document, Problems& problems);
void apply_overrides(const std::vector<CommandLine::Override>& overrides, Document& document,
                     Problems& problems);

}  // namespace orchard::options
