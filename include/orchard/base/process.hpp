#pragma once
// Who we are, as written into locks and names of temporary files.

#include <cstdint>
#include <string>

#include "orchard/base/ticker.hpp"

namespace orchard {

/// Name of this machine, without its domain when it has none; "unknown" when it cannot be told.
std::string host_name();
std::int64_t process_id();
/// Whether a process with this number runs on this host (of any user; a zombie does not count).
bool is_process_alive(std::int64_t pid);

/// While it lives, ends this process (exit code 1) soon after its parent has gone: for calls of
/// libraries that would wait for the parent for ever.
class ParentWatch {
 public:
  ParentWatch();

 private:
  Ticker ticker_;
};

/// Memory that only this process holds: its heap, its stacks, what it mapped for itself; not what
/// it shares with others or could read again from a file. 0 where the system does not tell.
std::uint64_t private_bytes();
/// Makes the next peak at least what is held now. A pool calls it when it polls; to be called
/// besides where memory is highest.
void note_private_bytes();
/// The most that was noted since the last call.
std::uint64_t take_peak_private_bytes();

/// Returns to the system what the allocator holds and nobody uses. Takes milliseconds: for
/// the end of a large piece of work.
void give_back_free_memory();

}  // namespace orchard
