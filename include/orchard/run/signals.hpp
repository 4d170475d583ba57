#pragma once
// Signals only set flags; ranks look at them at their polls.

namespace orchard::run {

/// What the signals received so far ask for. A stop outranks a checkpoint.
enum class Request { kNone, kCheckpoint, kStop, kStopSoon };

/// USR1: checkpoint and stop. USR2: checkpoint and go on. TERM, INT: stop soon, with a checkpoint
/// if one fits into the second or two that launchers leave; a further one ends the process at once.
/// To be called before MPI starts.
void install_signal_handlers();

/// Keeps the signals above pending until the handlers are installed, also through an exec.
void hold_signals();

/// The strongest request so far.
Request requested();
/// Forgets a kCheckpoint request once it is under way.
void clear_checkpoint_request();

}  // namespace orchard::run
