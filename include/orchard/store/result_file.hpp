#pragma once
// results.h5: the search's table with the settings and data it came from. Clock and host appear in
// the group /timing and nowhere else.

#include <string>

#include "orchard/options/job.hpp"
#include "orchard/search/results.hpp"

namespace orchard::store {

struct ResultFile {
  std::string program_version;
  std::vector<options::Job::Resolved> settings;  ///< those that can change a result
  std::string data_digest;
  std::uint64_t n_rows = 0, n_features = 0;
  search::Results results;
};

/// Throws kOutput.
void save_results(const std::string& path, const ResultFile& file);
/// Throws kData.
ResultFile load_results(const std::string& path);

}  // namespace orchard::store
