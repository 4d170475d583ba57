#pragma once

#include <cstdint>
#include <string>

namespace orchard::data::testing {

/// A file with the given bytes under a name of its own, removed at the end.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& bytes);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// ORCHARD_TESTS_GLOBAL_RANDOM_SEED, or 42.
std::uint64_t test_seed();

}  // namespace orchard::data::testing
