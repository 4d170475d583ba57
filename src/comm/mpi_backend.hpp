#pragma once

#include <mpi.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend.hpp"
#include "mpi_messages.hpp"
#include "mpi_transfer.hpp"

namespace orchard::comm {

/// The two MPI communicators of one of ours, so that collective traffic and messages never mix.
/// They are freed, all ranks together, by the next split of the parent after all ranks have let go
/// of them, when a subset is dissolved, or when MPI ends; never by a destructor.
struct MpiLines {
  MPI_Comm collectives = MPI_COMM_NULL;
  MPI_Comm messages = MPI_COMM_NULL;
  bool is_released = false;
  bool is_freed = false;
};

/// What a message from rank to rank on MpiLines::collectives belongs to.
enum CollectiveTag : int { kGatherTag = 1, kPartTag, kExchangeTag, kMeetTag };

/// What all communicators of the process share.
struct MpiContext {
  std::size_t piece_bytes = std::size_t{1} << 30;
  std::vector<std::shared_ptr<MpiLines>> lines;  // in order of creation
  std::vector<MPI_Win> windows;                  // not yet freed
};

/// A rank of an MPI program. After set-up no call blocks: operations are started, then tested
/// asleep. The few calls MPI offers only in blocking form (split, dup, windows) come right after a
/// barrier of ours, when no rank is far behind.
class MpiBackend final : public Backend {
 public:
  MpiBackend(std::shared_ptr<MpiContext> context, std::shared_ptr<MpiLines> lines,
             bool is_one_node);
  /// The back end of MPI_COMM_WORLD's ranks. Collective.
  static std::shared_ptr<MpiBackend> make_world(std::shared_ptr<MpiContext> context);
  ~MpiBackend() override;

  void barrier() override;
  Bytes broadcast(Bytes bytes, int root) override;
  std::vector<Bytes> gather(const Bytes& bytes, int root) override;
  std::vector<Bytes> all_gather(const Bytes& bytes) override;
  std::vector<Bytes> exchange(std::vector<Bytes> for_ranks) override;
  void reduce(std::span<std::int64_t> values, Reduction reduction) override;
  void sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) override;

  void send(int destination, int tag, Bytes bytes) override;
  std::optional<Message> try_receive() override;
  void flush() override;

  std::shared_ptr<Backend> split_by_node() override;
  std::shared_ptr<Backend> split(int colour) override;
  std::shared_ptr<Backend> subset(const std::vector<int>& ranks) override;
  void dissolve() override;

  bool is_one_node() const override { return is_one_node_ || size() == 1; }
  SharedMemory allocate_shared(std::size_t n_bytes) override;
  void free_shared(const SharedMemory& memory) override;

  [[noreturn]] void abort(const Error& error) override;

  /// A wait has failed; the ranks may no longer be at the same place.
  bool is_broken() const { return broken_.has_value(); }
  /// Waits for all ranks and frees what is left of all communicators. Collective over the world.
  void leave();

 private:
  /// Runs an operation unless an earlier one failed, and remembers when it fails.
  template <class Body>
  auto guarded(const Body& body);
  void finish(MpiTransfer& transfer, const char* operation, int root = -1);
  void await(const std::function<bool()>& is_done, const char* operation, int root);
  void barrier_asleep(const char* operation);
  MpiTransfer transfer() const { return MpiTransfer(context_->piece_bytes); }
  /// Memory that a collective operation needs on this rank: without it the others would wait.
  Bytes allocate_or_abort(std::uint64_t n_bytes, const char* operation);
  /// Makes what another rank wrote to shared windows visible here, and the reverse.
  void synchronise_windows();
  void reduce_piece(std::span<std::int64_t> values, MPI_Op operation);
  std::vector<Bytes> receive_all(const Bytes& own, const std::vector<std::uint64_t>& sizes);
  /// Waits until all of these ranks are here.
  void meet(const std::vector<int>& ranks);

  std::shared_ptr<Backend> adopt(MPI_Comm part, bool is_node);
  void free_released_parts();
  SharedMemory map_window(std::size_t n_bytes);

  std::shared_ptr<MpiContext> context_;
  std::shared_ptr<MpiLines> lines_;
  MpiMessages messages_;
  bool is_one_node_;
  std::optional<std::string> broken_;
  std::vector<std::shared_ptr<MpiLines>> parts_;  // one a split, in order
  std::map<int, MPI_Win> windows_;
  int next_window_ = 0;
};

template <class Body>
auto MpiBackend::guarded(const Body& body) {
  if (broken_) throw Error(ErrorKind::kInternal, *broken_);
  try {
    return body();
  } catch (const std::exception& error) {
    broken_ = error.what();
    throw;
  }
}

}  // namespace orchard::comm
