#pragma once
// What file.cpp and directory.cpp share: temporary names, failures, syncs. Private to `base`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orchard {

/// Throws kOutput: "path: what: reason (free space)".
[[noreturn]] void fail_output(const std::string& path, std::string_view what, int error_number);

/// "<directory>/.<name>.<host>.<pid>.<counter>.tmp", never given twice.
std::string temporary_name(const std::string& path);
/// What starts every temporary name of files whose names start with `name_prefix`.
std::string temporary_prefix(const std::string& name_prefix);
/// The process that made the temporary file `name`, if it ran on this host.
std::optional<std::int64_t> local_owner_of(const std::string& name);

/// Makes a rename in the directory of `path` lasting. Throws kOutput.
void sync_directory_of(const std::string& path);

}  // namespace orchard
