#include "program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

namespace orchard::e2e {
namespace fs = std::filesystem;
namespace {

std::string unique_path(const std::string& prefix) {
  static int counter = 0;
  return (fs::temp_directory_path() /
          (prefix + std::to_string(getpid()) + "-" + std::to_string(counter++)))
      .string();
}

void redirect(const std::string& path, int descriptor) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file >= 0) dup2(file, descriptor);
}

}  // namespace

Process::Process(std::vector<std::string> arguments, const Environment& environment)
    : output_path_(unique_path("orchard-out-")), errors_path_(unique_path("orchard-err-")) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  setenv("OMP_WAIT_POLICY", "passive", 1);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  redirect(output_path_, STDOUT_FILENO);
  redirect(errors_path_, STDERR_FILENO);
  execvp(argv[0], argv.data());
  _exit(127);
}

Process::~Process() {
  if (is_running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
  }
  std::error_code ignored;
  fs::remove(output_path_, ignored);
  fs::remove(errors_path_, ignored);
}

bool Process::is_running() {
  if (!has_ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) has_ended_ = true;
  return !has_ended_;
}

Outcome Process::wait(double timeout_s) {
  using namespace std::chrono;
  const auto end = steady_clock::now() + duration<double>(timeout_s);
  Outcome outcome;
  bool timed_out = false;
  while (is_running()) {
    if (steady_clock::now() > end) {
      timed_out = true;
      kill(pid_, SIGKILL);
      waitpid(pid_, &status_, 0);
      has_ended_ = true;
    }
    std::this_thread::sleep_for(milliseconds(2));
  }
  outcome.code = timed_out              ? -2
                 : WIFSIGNALED(status_) ? 128 + WTERMSIG(status_)
                                        : WEXITSTATUS(status_);
  outcome.output = file_bytes(output_path_);
  outcome.errors = file_bytes(errors_path_);
  return outcome;
}

void Process::send(int signal) const { kill(pid_, signal); }

std::vector<pid_t> Process::children() const {
  std::vector<pid_t> out;
  const auto path = "/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children";
  std::ifstream file(path);
  pid_t child = 0;
  while (file >> child) out.push_back(child);
  return out;
}

std::vector<std::string> command(int n_ranks, std::vector<std::string> arguments) {
  std::vector<std::string> line;
  if (n_ranks > 0) {
    line = {"mpirun", "--oversubscribe", "--bind-to", "none", "-n", std::to_string(n_ranks)};
  }
  line.push_back(ORCHARD_PROGRAM);
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

Outcome run(int n_ranks, std::vector<std::string> arguments, const Environment& environment,
            double timeout_s) {
  return Process(command(n_ranks, std::move(arguments)), environment).wait(timeout_s);
}

Directory::Directory() : path_(unique_path("orchard-e2e-")) { fs::create_directories(path_); }

Directory::~Directory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void write_file(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> entries(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t count_files(const std::string& directory, const std::string& containing) {
  const auto names = entries(directory);
  return static_cast<std::size_t>(std::count_if(
      names.begin(), names.end(),
      [&](const std::string& name) { return name.find(containing) != std::string::npos; }));
}

std::string make_csv(const std::string& task, int n_rows, unsigned seed) {
  std::mt19937 generator(seed);
  const auto number = [&](int n) {
    return static_cast<int>(generator() % static_cast<unsigned>(n));
  };
  const char* colours[] = {"red", "green", "blue", "dark, grey", "\"odd\""};
  std::ostringstream out;
  out << "a,b,c,d,colour,w,target\n";
  for (int row = 0; row < n_rows; ++row) {
    const int a = number(1000), b = number(20), c = number(1000), d = number(7);
    const int colour = number(5);
    const double signal =
        0.01 * a - 0.2 * b + (colour < 2 ? 3 : 0) + (c > 500 ? d : -d) + 0.001 * number(4000);
    out << a / 10.0 << ',';
    if (number(10) != 0) out << b;
    out << ',' << c << ',' << d << ',';
    if (number(12) != 0) {
      std::string text = colours[colour];
      if (text.find_first_of(",\"") != std::string::npos) {
        std::string quoted = "\"";
        for (const char ch : text) quoted += ch == '"' ? "\"\"" : std::string(1, ch);
        text = quoted + "\"";
      }
      out << text;
    }
    out << ',' << 1 + number(3) << ',';
    if (task == "binary") {
      out << (signal > 5 ? "yes" : "no");
    } else if (task == "multiclass") {
      out << "class" << std::clamp(static_cast<int>(signal / 4) + 1, 0, 4);
    } else {
      out << signal;
    }
    out << '\n';
  }
  return out.str();
}

unsigned test_seed() {
  const char* text = std::getenv("ORCHARD_TESTS_GLOBAL_RANDOM_SEED");
  if (text == nullptr) return 42;
  if (std::string(text) == "any") return std::random_device()() % 100;
  return static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

}  // namespace orchard::e2e
