#include "descriptions.hpp"

#include "table.hpp"

namespace orchard::options {

namespace po = boost::program_options;

po::options_description file_description() {
  po::options_description description("Job file");
  auto add = description.add_options();
  for (const auto& section : plain_sections()) {
    for (const auto& name : names_in(section)) {
      const std::string key = section + "." + name;
      const auto* row = find_option(section, name);
      const std::string help = row != nullptr ? row->help : "Parameter shared by all sub-grids.";
      add(key.c_str(), po::value<std::string>(), help.c_str());
    }
  }
  add("grid.*", po::value<std::string>(), "Values of a sub-grid.");
  add("model.*", po::value<std::string>(), "A model to predict with.");
  return description;
}

po::options_description command_line_description() {
  auto description = file_description();
  auto add = description.add_options();
  for (const auto& row : table()) {
    if (row.short_option.empty()) continue;
    add(row.short_option.c_str(), po::value<std::string>(), row.help.c_str());
  }
  add("ranks", po::value<std::string>(), "plan: number of ranks to plan for.");
  add("verbose,v", "Print every step.");
  add("quiet,q", "Print warnings and results only.");
  add("help,h", "Show help.");
  add("version", "Show the version.");
  return description;
}

}  // namespace orchard::options
