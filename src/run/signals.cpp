#include "orchard/run/signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace orchard::run {
namespace {

volatile sig_atomic_t g_wants_checkpoint = 0;
volatile sig_atomic_t g_wants_stop = 0;
volatile sig_atomic_t g_wants_stop_soon = 0;

void handle(int signal) {
  if (signal == SIGUSR1) {
    g_wants_stop = 1;
  } else if (signal == SIGUSR2) {
    g_wants_checkpoint = 1;
  } else {
    if (g_wants_stop_soon != 0) _exit(128 + signal);
    g_wants_stop_soon = 1;
  }
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
}

Request requested() {
  if (g_wants_stop_soon != 0) return Request::kStopSoon;
  if (g_wants_stop != 0) return Request::kStop;
  return g_wants_checkpoint != 0 ? Request::kCheckpoint : Request::kNone;
}

void clear_checkpoint_request() { g_wants_checkpoint = 0; }

}  // namespace orchard::run
