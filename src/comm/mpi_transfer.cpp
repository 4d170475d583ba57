#include "mpi_transfer.hpp"

#include <algorithm>
#include <new>

#include "mpi_call.hpp"

namespace orchard::comm {

MpiTransfer::~MpiTransfer() {
  if (requests_.empty()) return;
  [[maybe_unused]] const auto* leaked = new (std::nothrow) std::vector<Bytes>(std::move(kept_));
}

std::span<std::byte> MpiTransfer::keep(Bytes bytes) {
  kept_.push_back(std::move(bytes));
  return kept_.back();
}

template <class Operation>
void MpiTransfer::in_pieces(std::size_t n_bytes, const Operation& operation) {
  for (std::size_t begin = 0; begin < n_bytes; begin += piece_bytes_) {
    operation(begin, static_cast<int>(std::min(piece_bytes_, n_bytes - begin)));
  }
}

void MpiTransfer::send(ByteSpan bytes, int destination, int tag, MPI_Comm comm) {
  in_pieces(bytes.size(), [&](std::size_t begin, int count) {
    check(MPI_Isend(bytes.data() + begin, count, MPI_BYTE, destination, tag, comm, add()),
          "MPI_Isend");
  });
}

void MpiTransfer::receive(std::span<std::byte> bytes, int source, int tag, MPI_Comm comm) {
  in_pieces(bytes.size(), [&](std::size_t begin, int count) {
    check(MPI_Irecv(bytes.data() + begin, count, MPI_BYTE, source, tag, comm, add()), "MPI_Irecv");
  });
}

void MpiTransfer::broadcast(std::span<std::byte> bytes, int root, MPI_Comm comm) {
  in_pieces(bytes.size(), [&](std::size_t begin, int count) {
    check(MPI_Ibcast(bytes.data() + begin, count, MPI_BYTE, root, comm, add()), "MPI_Ibcast");
  });
}

MPI_Request* MpiTransfer::add() {
  requests_.push_back(MPI_REQUEST_NULL);
  return &requests_.back();
}

bool MpiTransfer::is_complete() {
  if (requests_.empty()) return true;
  int is_done = 0;
  statuses_.resize(requests_.size());
  const int code =
      MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &is_done, statuses_.data());
  if (code == MPI_ERR_IN_STATUS) {
    for (const MPI_Status& status : statuses_) {
      if (status.MPI_ERROR != MPI_ERR_PENDING) check(status.MPI_ERROR, "MPI_Testall");
    }
  }
  check(code, "MPI_Testall");
  if (is_done != 0) requests_.clear();
  return is_done != 0;
}

}  // namespace orchard::comm
