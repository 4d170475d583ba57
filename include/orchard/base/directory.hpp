#pragma once
// Directories and the names in them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orchard {

/// "a/b" for "a/b/c", "." for "c", "/" for "/c".
std::string directory_of(const std::string& path);
/// Names in a directory, sorted bytewise, without "." and "..". Empty when it cannot be read.
std::vector<std::string> list_directory(const std::string& directory);
/// Removes a file; one that is not there is no error. Throws kOutput.
void remove_file(const std::string& path);
/// Makes `path` a second name of the complete file `source` in one atomic step, replacing what was
/// there: hard link and rename, or a copy where the file system has no hard links. Throws kOutput.
void publish_second_name(const std::string& source, const std::string& path);
/// Makes `path` with this text, whole at once, unless something is there already (then false).
/// Of several processes that try, one gets true. Throws kOutput.
bool publish_new(const std::string& path, std::string_view text);
/// When the file was last changed, in seconds on the clock of its file system; nothing when it
/// cannot be told.
std::optional<double> modified_s(const std::string& path);
/// Sets the time of last change to now, on the clock of the file system. False when it fails.
bool touch(const std::string& path);
/// Removes temporary files that AtomicFile left in `directory` for names that start with
/// `name_prefix`, when their process ran on this host, is dead, and the file is older than
/// `min_age_s`. Returns the names removed.
std::vector<std::string> remove_stray_temporaries(const std::string& directory,
                                                  const std::string& name_prefix, double min_age_s);

}  // namespace orchard
