#include "scratch_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "orchard/base/env.hpp"
#include "orchard/base/text.hpp"

namespace orchard::data::testing {

ScratchFile::ScratchFile(const std::string& bytes) {
  static std::atomic<int> n_files{0};
  path_ = format("{}orchard-data-{}-{}.csv", ::testing::TempDir(), ::getpid(), n_files++);
  std::ofstream(path_, std::ios::binary) << bytes;
}

ScratchFile::~ScratchFile() { ::unlink(path_.c_str()); }

std::uint64_t test_seed() {
  const auto seed = parse_int(env("ORCHARD_TESTS_GLOBAL_RANDOM_SEED").value_or("42"));
  return static_cast<std::uint64_t>(seed.value_or(42));
}

}  // namespace orchard::data::testing
