#include "orchard/base/text.hpp"
#include "read_job.hpp"
#include "suggest.hpp"
#include "value.hpp"

namespace orchard::options {

void read_plain_sections(const Document& document, Settled& settled, Job& job, Problems& problems) {
  for (const auto& section : document.sections) {
    if (section.family != section.name || section.name == "estimator") continue;
    for (const auto& line : section.lines) {
      const auto* row = find_option(section.name, line.key);
      require(row != nullptr, "keys were checked against the table");
      const auto reading = read_option(*row, line.value);
      for (const auto& problem : reading.problems) problems.add(line.place, problem);
      for (const auto& note : reading.notes) job.notes.push_back(line.place.where + ": " + note);
      if (reading.problems.empty()) settled.set(*row, reading.values, line.origin);
    }
  }
}

void read_models(const Document& document, Job& job, std::vector<Job::Resolved>& resolved,
                 Problems& problems) {
  for (const auto& section : document.sections) {
    if (section.family != "model") continue;
    ModelSection model;
    model.name = section.name.substr(std::string("model.").size());
    for (const auto& name : names_in("model")) {
      const auto* row = find_option("model", name);
      const auto* line = section.find(name);
      Values values = row->default_values;
      if (line != nullptr) {
        const auto reading = read_option(*row, line->value);
        for (const auto& problem : reading.problems) problems.add(line->place, problem);
        values = reading.values;
      }
      if (!values.empty()) row->store({.model = &model}, values);
      resolved.push_back({section.name + "." + name, values.empty() ? "none" : print_values(values),
                          line != nullptr ? line->origin : "default", row->affects_result});
    }
    job.models.push_back(std::move(model));
  }
}

Job parse_job(Command command, const std::string& path, const std::string& text,
              const std::vector<CommandLine::Override>& overrides,
              const std::vector<std::pair<std::string, std::string>>& environment) {
  Job job;
  job.path = path;
  Problems problems;
  auto document = read_document(path, text, problems);
  apply_environment(environment, document, problems);
  apply_overrides(overrides, document, problems);

  Settled settled(job);
  std::vector<Job::Resolved> sections;
  read_plain_sections(document, settled, job, problems);
  read_grids(document, job, sections, problems);
  read_models(document, job, sections, problems);
  finish_job(document, settled, job, problems);
  check_required(command, document, job, problems);
  problems.throw_if_any();

  job.resolved = settled.list();
  job.resolved.insert(job.resolved.end(), sections.begin(), sections.end());
  return job;
}

}  // namespace orchard::options
