#include "file_place.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>

#include "orchard/base/directory.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"

namespace orchard {
namespace {

constexpr std::size_t kMaxName = 120;  // of 255: leaves room for host, process and counter
constexpr std::size_t kMaxHost = 64;

std::string free_space(const std::string& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) return {};
  return format(" ({} free in {})",
                print_bytes(static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize),
                escape(directory, 200));
}

}  // namespace

void fail_output(const std::string& path, std::string_view what, int error_number) {
  throw Error(ErrorKind::kOutput,
              format("{}: {}{}", what, std::generic_category().message(error_number),
                     free_space(directory_of(path))),
              path);
}

std::string temporary_prefix(const std::string& name_prefix) {
  return format(".{}", name_prefix.substr(0, kMaxName));
}

std::string temporary_name(const std::string& path) {
  static std::atomic<std::uint64_t> counter{0};
  const auto slash = path.find_last_of('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return format("{}/{}.{}.{}.{}.tmp", directory_of(path), temporary_prefix(name),
                host_name().substr(0, kMaxHost), process_id(), counter++);
}

std::optional<std::int64_t> local_owner_of(const std::string& name) {
  // Names and hosts may hold dots themselves, so this reads from the end.
  const auto parts = split(name, '.');
  if (parts.size() < 6 || !parts[0].empty() || parts.back() != "tmp") return std::nullopt;
  const std::string& counter = parts[parts.size() - 2];
  const std::string& process = parts[parts.size() - 3];
  if (!parse_int(counter)) return std::nullopt;
  const std::string tail =
      format(".{}.{}.{}.tmp", host_name().substr(0, kMaxHost), process, counter);
  if (!name.ends_with(tail)) return std::nullopt;
  return parse_int(process);
}

void sync_directory_of(const std::string& path) {
  const std::string directory = directory_of(path);
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_output(path, "cannot open its directory", errno);
  const bool is_synced = ::fsync(descriptor) == 0;
  const int error_number = errno;
  ::close(descriptor);
  // Some file systems have no fsync of directories; there is nothing better to ask them for.
  if (!is_synced && error_number != EINVAL && error_number != ENOTSUP) {
    fail_output(path, "cannot sync its directory", error_number);
  }
}

}  // namespace orchard
