#pragma once

#include <mpi.h>

#include <span>
#include <vector>

#include "orchard/base/types.hpp"

namespace orchard::comm {

/// Non-blocking operations under way and the memory they use. Payloads are cut into pieces, since
/// counts of MPI 3.1 are int. When it is destroyed before all is complete its memory is leaked: the
/// library may still use it.
class MpiTransfer {
 public:
  explicit MpiTransfer(std::size_t piece_bytes) : piece_bytes_(piece_bytes) {}
  ~MpiTransfer();
  MpiTransfer(MpiTransfer&&) noexcept = default;
  MpiTransfer& operator=(MpiTransfer&&) = delete;

  /// Takes memory over; operations may use what the result points to until `take`.
  std::span<std::byte> keep(Bytes bytes);
  /// Gives back what was kept, by order of `keep`. After completion.
  Bytes take(std::size_t index) { return std::move(kept_[index]); }
  ByteSpan kept(std::size_t index) const { return kept_[index]; }
  std::span<std::byte> kept_memory(std::size_t index) { return kept_[index]; }

  void send(ByteSpan bytes, int destination, int tag, MPI_Comm comm);
  void receive(std::span<std::byte> bytes, int source, int tag, MPI_Comm comm);
  void broadcast(std::span<std::byte> bytes, int root, MPI_Comm comm);
  /// Where an operation that this class does not know puts its request.
  MPI_Request* add();

  /// Makes progress; true when all operations are complete.
  bool is_complete();

 private:
  template <class Operation>
  void in_pieces(std::size_t n_bytes, const Operation& operation);

  std::size_t piece_bytes_;
  std::vector<MPI_Request> requests_;
  std::vector<MPI_Status> statuses_;
  std::vector<Bytes> kept_;
};

}  // namespace orchard::comm
