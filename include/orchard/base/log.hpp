#pragma once
// Messages for people. Only rank 0 speaks, unless a rank is about to take the job down; `app` says
// which rank this is. Lines go to the terminal (stderr) and, once opened, to run.log.

#include <string>
#include <string_view>

namespace orchard::log {

enum class Level { kDebug, kInfo, kWarning, kError };

/// Silences this rank's info and warnings when it is not rank 0; sets the least level shown.
void configure(bool speaks, Level least);
/// Starts copying every line to `path` (appended to). Throws kOutput when it cannot be opened.
void open_file(const std::string& path);

void debug(std::string_view text);
void info(std::string_view text);
void warning(std::string_view text);
/// Always shown, from any rank, once.
void error(std::string_view text);

}  // namespace orchard::log
