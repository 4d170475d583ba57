#pragma once
// Runs the real program as its users do, under mpirun, and reads what it leaves behind.

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace orchard::e2e {

struct Outcome {
  int code = -1;       ///< exit code; 128 + signal when a signal ended it; -2 when it timed out
  std::string output;  ///< stdout
  std::string errors;  ///< stderr
};

using Environment = std::map<std::string, std::string>;

/// A process of ours, with its output in files. Killed by its id, never by name.
class Process {
 public:
  Process(std::vector<std::string> arguments, const Environment& environment);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool is_running();
  /// Waits, kills the process after `timeout_s`.
  Outcome wait(double timeout_s);
  void send(int signal) const;
  /// Children of the process, as the kernel lists them: mpirun's are its ranks.
  std::vector<pid_t> children() const;

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool has_ended_ = false;
  std::string output_path_, errors_path_;
};

/// orchard ARGUMENTS, alone when n_ranks is 0, under mpirun otherwise.
std::vector<std::string> command(int n_ranks, std::vector<std::string> arguments);
Outcome run(int n_ranks, std::vector<std::string> arguments, const Environment& environment = {},
            double timeout_s = 120);

/// A directory of this test, removed at the end.
class Directory {
 public:
  Directory();
  ~Directory();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void write_file(const std::string& path, const std::string& text);
std::string file_bytes(const std::string& path);
/// Names of the entries of a directory, sorted.
std::vector<std::string> entries(const std::string& directory);
std::size_t count_files(const std::string& directory, const std::string& containing);

/// A reproducible table with numbers, ties, missing cells, a text column and weights.
/// `task`: "binary", "multiclass" or "regression"; the target column is `target`.
std::string make_csv(const std::string& task, int n_rows, unsigned seed);

/// Seed for tests that depend on one: ORCHARD_TESTS_GLOBAL_RANDOM_SEED, default 42.
unsigned test_seed();

}  // namespace orchard::e2e
