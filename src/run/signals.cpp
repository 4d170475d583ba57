#include "orchard/run/signals.hpp"

#include <signal.h>
#include <unistd.h>

namespace orchard::run {
namespace {

volatile sig_atomic_t g_wants_checkpoint = 0;
volatile sig_atomic_t g_wants_stop = 0;
volatile sig_atomic_t g_wants_stop_soon = 0;

constexpr int kHandled[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};

sigset_t set_of_handled() {
  sigset_t handled;
  sigemptyset(&handled);
  for (const int signal : kHandled) sigaddset(&handled, signal);
  return handled;
}

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
  for (const int signal : kHandled) sigaction(signal, &action, nullptr);
  const auto held = set_of_handled();
  sigprocmask(SIG_UNBLOCK, &held, nullptr);
}

void hold_signals() {
  const auto held = set_of_handled();
  sigprocmask(SIG_BLOCK, &held, nullptr);
}

Request requested() {
  if (g_wants_stop_soon != 0) return Request::kStopSoon;
  if (g_wants_stop != 0) return Request::kStop;
  return g_wants_checkpoint != 0 ? Request::kCheckpoint : Request::kNone;
}

void clear_checkpoint_request() { g_wants_checkpoint = 0; }

}  // namespace orchard::run
