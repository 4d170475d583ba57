#pragma once
// The options outside sub-grids and models while a job is read: value, struct member and origin of
// each are set together.

#include "table.hpp"

namespace orchard::options {

class Settled {
 public:
  /// Sets every default that the table gives.
  explicit Settled(Job& job);

  void set(const OptionRow& row, const Values& values, const std::string& origin);
  /// Sets a default that depends on other options; leaves a written value alone.
  void set_default(const std::string& section, const std::string& name, const Values& values);
  bool is_written(const std::string& section, const std::string& name) const;

  std::vector<Job::Resolved> list() const;

 private:
  struct Entry {
    const OptionRow* row;
    Values values;
    std::string origin;
    bool is_written = false;
  };
  Entry& entry(const std::string& section, const std::string& name);

  Job& job_;
  std::vector<Entry> entries_;
};

}  // namespace orchard::options
