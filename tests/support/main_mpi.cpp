// The main function of tests that run as an MPI program. Rank 0 prints as usual; of the other
// ranks only failures are printed, with their rank.

#include <gtest/gtest.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "mpi_world.hpp"

namespace orchard::testing {
namespace {

std::optional<comm::Communicator>& world() {
  static std::optional<comm::Communicator> instance;
  return instance;
}

/// Agrees after each test whether it failed anywhere, so that no rank runs ahead of one that left
/// its test early.
class Agreement final : public ::testing::EmptyTestEventListener {
 public:
  int n_failed_elsewhere() const { return n_failed_elsewhere_; }

 private:
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed() || world()->rank() == 0) return;
    std::fprintf(stderr, "rank %d: %s:%d: failure\n%s\n", world()->rank(),
                 result.file_name() == nullptr ? "?" : result.file_name(), result.line_number(),
                 result.message());
  }

  void OnTestEnd(const ::testing::TestInfo& test) override {
    try {
      const bool is_failed = test.result()->Failed();
      const auto n_failed = world()->sum(is_failed ? 1 : 0);
      if (n_failed > 0 && !is_failed) ++n_failed_elsewhere_;
      if (n_failed > 0 && world()->rank() == 0) {
        std::fprintf(stderr, "%s.%s failed on %d of %d ranks\n", test.test_suite_name(),
                     test.name(), static_cast<int>(n_failed), world()->size());
      }
    } catch (const Error& error) {
      world()->abort(error);
    }
  }

  int n_failed_elsewhere_ = 0;
};

int run(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  comm::Environment environment(&argc, &argv);
  world() = environment.world();
  world()->set_deadline(20);
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  if (world()->rank() != 0) delete listeners.Release(listeners.default_result_printer());
  auto agreement = std::make_unique<Agreement>();
  const Agreement& result = *agreement;
  listeners.Append(agreement.release());
  const int is_failed = RUN_ALL_TESTS() != 0 || result.n_failed_elsewhere() > 0 ? 1 : 0;
  const int code = static_cast<int>(world()->max(is_failed));
  world().reset();
  return code;
}

}  // namespace

comm::Communicator mpi_world() { return *world(); }

}  // namespace orchard::testing

int main(int argc, char** argv) {
  try {
    return orchard::testing::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
