#pragma once
// The table as Boost.ProgramOptions knows it. Values stay text there: it would wrap negative
// counts and pass nan, so types and ranges are checked by accepts.cpp.

#include <boost/program_options.hpp>

namespace orchard::options {

/// Keys "section.name" of a job file; grid.* and model.* take any key.
boost::program_options::options_description file_description();
/// The same keys as options, with the short forms.
boost::program_options::options_description command_line_description();

}  // namespace orchard::options
