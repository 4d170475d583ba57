#include "orchard/base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "orchard/base/error.hpp"

namespace orchard::log {
namespace {

struct State {
  State() {
    auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    terminal->set_pattern("%v");
    logger = std::make_shared<spdlog::logger>("orchard", terminal);
    logger->set_level(spdlog::level::info);
    logger->flush_on(spdlog::level::info);
  }
  std::shared_ptr<spdlog::logger> logger;
  bool speaks = true;
};

State& state() {
  static State instance;
  return instance;
}

}  // namespace

void configure(bool speaks, Level least) {
  state().speaks = speaks;
  const auto level = least == Level::kDebug     ? spdlog::level::debug
                     : least == Level::kInfo    ? spdlog::level::info
                     : least == Level::kWarning ? spdlog::level::warn
                                                : spdlog::level::err;
  state().logger->set_level(level);
}

void open_file(const std::string& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    file->set_pattern("%Y-%m-%d %H:%M:%S %v");
    state().logger->sinks().push_back(file);
  } catch (const spdlog::spdlog_ex& failure) {
    throw Error(ErrorKind::kOutput, failure.what(), path);
  }
}

void debug(std::string_view text) {
  if (state().speaks) state().logger->debug("{}", text);
}

void info(std::string_view text) {
  if (state().speaks) state().logger->info("{}", text);
}

void warning(std::string_view text) {
  if (state().speaks) state().logger->warn("warning: {}", text);
}

void error(std::string_view text) { state().logger->error("orchard: {}", text); }

}  // namespace orchard::log
