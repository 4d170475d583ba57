#include "settled.hpp"

#include "value.hpp"

namespace orchard::options {

Settled::Settled(Job& job) : job_(job) {
  for (const auto& row : table()) {
    if (row.section == "grid" || row.section == "model") continue;
    entries_.push_back({&row, row.default_values, "default"});
    if (!row.default_values.empty()) row.store({.job = &job_}, row.default_values);
  }
}

Settled::Entry& Settled::entry(const std::string& section, const std::string& name) {
  for (auto& each : entries_) {
    if (each.row->section == section && each.row->name == name) return each;
  }
  require(false, "an option is in the table");
  return entries_.front();
}

void Settled::set(const OptionRow& row, const Values& values, const std::string& origin) {
  auto& to = entry(row.section, row.name);
  row.store({.job = &job_}, values);
  to.values = values;
  to.origin = origin;
  to.is_written = true;
}

void Settled::set_default(const std::string& section, const std::string& name,
                          const Values& values) {
  auto& to = entry(section, name);
  if (to.is_written) return;
  to.row->store({.job = &job_}, values);
  to.values = values;
}

bool Settled::is_written(const std::string& section, const std::string& name) const {
  return const_cast<Settled*>(this)->entry(section, name).is_written;
}

std::vector<Job::Resolved> Settled::list() const {
  std::vector<Job::Resolved> out;
  for (const auto& each : entries_) {
    out.push_back({each.row->section + "." + each.row->name,
                   each.values.empty() ? "none" : print_values(each.values), each.origin,
                   each.row->affects_result});
  }
  return out;
}

}  // namespace orchard::options
