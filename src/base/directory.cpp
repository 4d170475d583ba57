#include "orchard/base/directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "file_place.hpp"
#include "orchard/base/clock.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/process.hpp"

namespace orchard {

std::string directory_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::vector<std::string> list_directory(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator at(directory, failure), end; !failure && at != end;
       at.increment(failure)) {
    names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    fail_output(path, "cannot be removed", errno);
  }
}

void publish_second_name(const std::string& source, const std::string& path) {
  const std::string temporary = temporary_name(path);
  if (::link(source.c_str(), temporary.c_str()) != 0) {
    AtomicFile copy(path);
    copy.write(read_file(source, ErrorKind::kOutput));
    copy.publish();
    return;
  }
  const int renamed = ::rename(temporary.c_str(), path.c_str());
  const int error_number = errno;
  // When both already name one file, rename succeeds, does nothing, and leaves the temporary name.
  ::unlink(temporary.c_str());
  if (renamed != 0) fail_output(path, "cannot be renewed", error_number);
  sync_directory_of(path);
}

bool publish_new(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  // link(2) is the one step that is whole and exclusive, on network file systems too.
  if (::link(file.temporary_path().c_str(), path.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  // No hard links here: exclusive creation, then the text by rename over it.
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    if (errno == EEXIST) return false;
    fail_output(path, "cannot be made", errno);
  }
  ::close(descriptor);
  file.publish();
  return true;
}

std::optional<double> modified_s(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return static_cast<double>(info.st_mtim.tv_sec) +
         1e-9 * static_cast<double>(info.st_mtim.tv_nsec);
}

bool touch(const std::string& path) { return ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0; }

std::vector<std::string> remove_stray_temporaries(const std::string& directory,
                                                  const std::string& name_prefix,
                                                  double min_age_s) {
  std::vector<std::string> removed;
  for (const auto& name : list_directory(directory)) {
    if (!name.starts_with(temporary_prefix(name_prefix))) continue;
    const auto owner = local_owner_of(name);
    if (!owner || is_process_alive(*owner)) continue;
    const std::string path = directory + "/" + name;
    const auto modified = modified_s(path);
    if (!modified || wall_s() - *modified < min_age_s) continue;
    if (::unlink(path.c_str()) == 0) removed.push_back(name);
  }
  return removed;
}

}  // namespace orchard
