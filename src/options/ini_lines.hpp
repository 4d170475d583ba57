#pragma once
// The lines of a job file, checked one by one before Boost.ProgramOptions sees them. It would cut
// values at any '#', keep quotes, pass NUL bytes, and name neither file nor line.

#include <optional>

#include "problems.hpp"

namespace orchard::options {

struct IniLine {
  int number = 0;  ///< from 1
  bool is_section = false;
  bool is_usable = true;     ///< false: reported, and not to be read further
  std::string section = {};  ///< a section line: the name between the brackets
  std::string key = {}, value = {};
};

/// Lines that are neither blank nor comments. Reports the unusable ones.
std::vector<IniLine> read_ini_lines(const std::string& path, const std::string& text,
                                    Problems& problems);
/// What makes a value unreadable on one line of a job file, or nothing.
std::optional<std::string> find_bad_bytes(const std::string& value);

}  // namespace orchard::options
