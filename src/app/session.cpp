#include "session.hpp"

#include <filesystem>

#include "orchard/base/env.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/text.hpp"

namespace orchard::app {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

/// Variables of ours that are switches for tests, not options.
bool is_option(const std::string& variable) { return variable.find("__") != std::string::npos; }

Variables option_variables() {
  Variables out;
  for (const auto& [name, value] : env_with_prefix("ORCHARD_")) {
    if (is_option(name)) out.emplace_back(name, value);
  }
  return out;
}

std::string read_job_text(const std::string& path) {
  try {
    return read_text(path);
  } catch (const Error& error) {
    throw Error(ErrorKind::kUsage, error.message(), path, error.hint());
  }
}

/// A job of hours must not find out in its end that it cannot write what it made.
void check_place(const std::filesystem::path& file) {
  if (!std::filesystem::is_directory(file.parent_path())) {
    throw Error(ErrorKind::kOutput, "there is no such directory", file.parent_path().string());
  }
  check_writable(file.parent_path().string());
  if (std::filesystem::is_directory(file)) {
    throw Error(ErrorKind::kOutput, "an output would have the name of a directory", file.string());
  }
}

Bytes pack(const std::string& text, const Variables& variables) {
  ByteWriter writer;
  writer.put(text);
  writer.put<std::uint64_t>(variables.size());
  for (const auto& [name, value] : variables) {
    writer.put(name);
    writer.put(value);
  }
  return writer.take();
}

options::Job unpack_and_parse(const Bytes& bytes, const options::CommandLine& command_line) {
  ByteReader reader(bytes);
  const auto text = reader.get_string();
  Variables variables(reader.get<std::uint64_t>());
  for (auto& [name, value] : variables) {
    name = reader.get_string();
    value = reader.get_string();
  }
  return options::parse_job(command_line.command, command_line.operands.at(0), text,
                            command_line.overrides, variables);
}

/// The threads that this process is asked to use. A plan speaks of other ranks and cores than those
/// that make it, which take what they have.
options::ParallelSettings own_parallel(const options::Job& job, options::Command command) {
  auto settings = job.parallel;
  if (command == options::Command::kPlan && settings.n_jobs.value_or(1) > 1)
    settings.n_jobs.reset();
  return settings;
}

}  // namespace

options::Job read_job(const options::CommandLine& command_line) {
  return options::parse_job(command_line.command, command_line.operands.at(0),
                            read_job_text(command_line.operands.at(0)), command_line.overrides,
                            option_variables());
}

Session::Session(comm::Communicator world, const options::CommandLine& command_line)
    : world_(world), node_(world.split_by_node()), command_(command_line.command) {
  Bytes bytes;
  world_.together([&] {
    if (is_root()) bytes = pack(read_job_text(command_line.operands.at(0)), option_variables());
  });
  bytes = world_.broadcast(std::move(bytes), 0);
  world_.together([&] { job_ = unpack_and_parse(bytes, command_line); });
  world_.together([&] { threads_ = run::share_threads(node_, own_parallel(job_, command_)); });
  watchdog_ = std::make_unique<run::Watchdog>(
      node_, world_.rank(),
      run::WatchdogSettings{job_.parallel.watchdog, output_path(job_.output.log), {}});
  if (threads_.domain) parallel::keep_to(*threads_.domain);  // the pool's threads do as this one
  pool_ = std::make_unique<parallel::Pool>(threads_.n_threads);
  log::configure(is_root(), job_.job.verbose == 0   ? log::Level::kWarning
                            : job_.job.verbose >= 2 ? log::Level::kDebug
                                                    : log::Level::kInfo);
  world_.together([&] { open_output(); });
}

void Session::open_output() {
  if (!is_root() || command_ == options::Command::kPlan) return;
  make_directories(job_.job.output_dir);
  check_writable(job_.job.output_dir);
  check_outputs();
  log::open_file(output_path(job_.output.log));
  for (const auto& note : job_.notes) log::info(note);
  if (!threads_.warning.empty()) log::warning(threads_.warning);
}

void Session::check_outputs() const {
  namespace fs = std::filesystem;
  std::vector<std::string> inputs = {job_.data.train, job_.data.input, job_.cv.fold_file,
                                     job_.path};
  for (const auto& model : job_.models) inputs.push_back(model.file);
  const auto checkpoints = fs::weakly_canonical(job_.checkpoint.checkpoint_dir);
  for (const auto& output : {job_.output.model, job_.output.cv_results, job_.output.results,
                             job_.output.log, job_.output.predictions}) {
    const auto path = fs::weakly_canonical(output_path(output));
    check_place(path);
    for (const auto& input : inputs) {
      if (!input.empty() && fs::weakly_canonical(input) == path) {
        throw Error(ErrorKind::kUsage, "this output would replace an input of the job",
                    path.string(), "Give it another name in [output].");
      }
    }
    if (path.parent_path() == checkpoints) {
      throw Error(ErrorKind::kUsage, "this output would lie among the checkpoints", path.string(),
                  "Give it another name in [output].");
    }
  }
}

std::string Session::output_path(const std::string& file) const {
  return file.starts_with('/') ? file : job_.job.output_dir + "/" + file;
}

}  // namespace orchard::app
