#pragma once
// Ranks. The communicator is a value with interchangeable back ends: one process, threads as ranks
// (tests), MPI. MPI is named nowhere outside src/comm.
//
// There is no sum of floating-point numbers over ranks, on purpose: it would depend on order.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "orchard/base/bytes.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/types.hpp"

namespace orchard::comm {

struct Message {
  int source = 0;
  int tag = 0;
  Bytes bytes;
};

/// Memory that all ranks of one node see, zeroed when made. Copies share it. Freed by
/// `Communicator::free_shared`, or at the latest when the process ends: never in a destructor,
/// because freeing is collective.
struct SharedMemory {
  std::byte* data = nullptr;
  std::size_t n_bytes = 0;
  int id = -1;
};

class Backend;

/// A set of ranks, and this rank in it. Copies share the back end.
///
/// Collective: every member below marked so must be called by all ranks in the same order. "Local"
/// members involve no other rank's cooperation. Every wait sleeps between tests, takes in messages
/// that arrive meanwhile, and throws kInternal naming what it waited for after `deadline_s` without
/// progress; the communicator cannot be used after that. Only the thread that owns the rank (thread
/// 0 of its pool) calls anything here.
class Communicator {
 public:
  explicit Communicator(std::shared_ptr<Backend> backend);

  int rank() const;
  int size() const;

  /// Seconds any wait may last, here and in what is split off later. Default 3600.
  void set_deadline(double seconds);

  /// What a rank wrote to shared memory before is seen by all after it. Collective.
  void barrier();
  Bytes broadcast(Bytes bytes, int root);                   ///< collective
  std::vector<Bytes> gather(const Bytes& bytes, int root);  ///< collective; empty off root
  std::vector<Bytes> all_gather(const Bytes& bytes);        ///< collective; in rank order
  /// What each rank has for this one, in rank order, of what each has for every rank: [size].
  /// Collective.
  std::vector<Bytes> exchange(std::vector<Bytes> for_ranks);
  std::int64_t sum(std::int64_t value);  ///< collective
  std::int64_t min(std::int64_t value);  ///< collective
  std::int64_t max(std::int64_t value);  ///< collective
  /// Replaces each value by its sum over the ranks, which all give as many values. Collective.
  void sum(std::span<std::int64_t> values);
  /// Sums in parts: afterwards values [borders[rank], borders[rank + 1]) are sums over the ranks,
  /// the rest is what it was. `borders`: [size + 1], ascending from 0 to values.size(), the same on
  /// all ranks. Collective.
  void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders);
  /// Replaces each value by the greatest of the ranks', which all give as many values, no NaN among
  /// them; of zeros the positive one is the greater. Collective.
  void max(std::span<double> values);

  /// Ends a phase together. Each rank calls it with its own failure or nothing; all ranks throw the
  /// failure of the lowest rank that has one. Orders shared memory like `barrier`. Collective.
  void agree(const std::optional<Error>& failure);
  /// Runs `body` and agrees on its outcome: a rank never leaves a phase alone. Errors other than
  /// orchard::Error become kInternal, bad_alloc becomes kResources. When no rank failed but some
  /// were stopped, all ranks throw Stopped. Collective.
  void together(const std::function<void()>& body);

  /// Hands over a message; returns at once, delivery is completed by later calls of this object.
  /// Messages from one source arrive in order. `destination` may be this rank. Local.
  void send(int destination, int tag, Bytes bytes);
  /// The next message that has arrived, from any source, or nothing. Local.
  std::optional<Message> try_receive();
  /// Waits until everything sent has been taken over: the receivers must be calling members of
  /// their communicator, any of them.
  void flush();

  /// The ranks that share this rank's memory, in the order of their ranks here. For tests, the
  /// environment variable ORCHARD_RANKS_PER_NODE=k divides a real node into nodes of k ranks.
  /// Collective.
  Communicator split_by_node() const;
  /// The ranks that gave the same colour (>= 0), in the order of their ranks here. Collective.
  Communicator split(int colour) const;
  /// These ranks, in this order, this one among them, without the others' cooperation; to be ended
  /// by `dissolve`. Collective over these ranks, which all give the same list.
  Communicator subset(const std::vector<int>& ranks) const;
  /// Ends what `subset` has made: all messages have been received, and no copy is used afterwards.
  /// Collective.
  void dissolve();

  /// One block for all ranks of a node, aligned to 64 bytes; must be called on what split_by_node
  /// returned, on what was split from that, or on one rank. Checks first that the room is there and
  /// throws kResources on all ranks when not. Collective.
  SharedMemory allocate_shared(std::size_t n_bytes);
  void free_shared(const SharedMemory& memory);  ///< collective

  /// Prints `error` once and ends all ranks with its exit code. Local; does not return. (Ranks that
  /// are threads: throws `error` here and wakes the other ranks, which then throw.)
  [[noreturn]] void abort(const Error& error);

 private:
  /// Agrees on how a phase ended for this rank: with a failure, stopped, or well.
  void agree_on(const std::optional<Error>& failure, bool is_stopped);

  std::shared_ptr<Backend> backend_;
};

/// Bytes that are free where the ranks of a node share memory (/dev/shm). Local.
std::optional<std::uint64_t> free_shared_bytes();
/// Memory of this node that the kernel calls available. Local.
std::optional<std::uint64_t> available_memory_bytes();

/// A single process.
Communicator self();

/// Runs `body` as `n_ranks` ranks, each a thread of this process, and rethrows the first failure.
/// For tests. A rank that throws wakes the others, which then throw kInternal.
void run_as_ranks(int n_ranks, const std::function<void(Communicator)>& body);

/// MPI for the life of this object. Outside a launcher nothing is initialised and `world` is one
/// process. The destructor waits, asleep, for all ranks and finalises; while an exception unwinds
/// it does neither. No communicator is used after it. Throws kResources when the library does not
/// grant MPI_THREAD_FUNNELED, or when several Slurm tasks each see a world of one rank.
///
/// For tests: ORCHARD_PIECE_BYTES lowers the size (1 GiB) above which payloads are cut.
class Environment {
 public:
  Environment(int* argc, char*** argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  Communicator world();
  /// The first line of what the MPI library says of itself: "Open MPI v4.1.4, ...".
  static std::string library_version();

 private:
  bool is_initialised_ = false;
  std::shared_ptr<Backend> world_;
};

}  // namespace orchard::comm
