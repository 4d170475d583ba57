#pragma once
// One exception type. Its kind is the exit code of the program, so that every layer decides what
// went wrong and none but `app` decides what to do about it.

#include <exception>
#include <string>

namespace orchard {

/// The value is the process's exit code.
enum class ErrorKind : int {
  kInternal = 1,      ///< a fault of ours
  kUsage = 2,         ///< command line or job file
  kData = 3,          ///< input data cannot be used
  kResume = 4,        ///< resume refused: something that can change a result has changed
  kNoCheckpoint = 5,  ///< a checkpoint was demanded and none can be used
  kOutput = 6,        ///< output cannot be written
  kResources = 7,     ///< memory, threads or ranks do not suffice
};

/// Exit code of a run that stopped in order after a verified checkpoint: run it again.
inline constexpr int kExitStopped = 75;

/// `message` says what was found and what was expected, `where` names file:line, option or path,
/// `hint` says what to do next (may be empty).
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string where = {}, std::string hint = {});

  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }
  /// "where: message hint", one line unless the message itself holds several.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_, where_, hint_, text_;
};

/// Thrown through a fit when the poll hook asked to stop; the unit under way is dropped.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped on request"; }
};

/// Throws ErrorKind::kInternal when `condition` does not hold. For faults of ours only.
void require(bool condition, const char* what_was_expected);

}  // namespace orchard
