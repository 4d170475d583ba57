#include "orchard/base/process.hpp"

#include <signal.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>

namespace orchard {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "unknown";
  return name.data();
}

std::int64_t process_id() { return ::getpid(); }

bool is_process_alive(std::int64_t pid) {
  if (pid <= 0 || static_cast<pid_t>(pid) != pid) return false;
  if (::kill(static_cast<pid_t>(pid), 0) != 0) return errno == EPERM;
  // A zombie still answers signal 0, yet it will never write again.
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return true;
  const auto name_end = line.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= line.size() || line[name_end + 2] != 'Z';
}

ParentWatch::ParentWatch()
    : ticker_(0.2, [parent = ::getppid()] {
        if (::getppid() != parent) ::_exit(1);
        return true;
      }) {}

std::uint64_t private_bytes() {
  // Pages: the whole address space, resident ones, and those of them with a file or shared memory
  // behind them.
  std::ifstream pages("/proc/self/statm");
  std::uint64_t n_all = 0, n_resident = 0, n_shared = 0;
  if (!(pages >> n_all >> n_resident >> n_shared)) return 0;
  return (n_resident - std::min(n_resident, n_shared)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

namespace {
std::atomic<std::uint64_t> peak_private_bytes{0};
}  // namespace

void note_private_bytes() {
  const std::uint64_t n_bytes = private_bytes();
  std::uint64_t peak_bytes = peak_private_bytes;
  while (peak_bytes < n_bytes && !peak_private_bytes.compare_exchange_weak(peak_bytes, n_bytes)) {
  }
}

std::uint64_t take_peak_private_bytes() { return peak_private_bytes.exchange(0); }

void give_back_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace orchard
