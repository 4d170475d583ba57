#pragma once

#include <mpi.h>

#include <deque>
#include <list>
#include <optional>

#include "mpi_transfer.hpp"
#include "orchard/comm/communicator.hpp"

namespace orchard::comm {

/// Messages between the ranks of one MPI communicator that nothing else uses. A message is a head
/// (tag, size, and the payload when it is short) and, when it is long, pieces. What arrives is
/// taken in by `progress` even when nobody asks for it, so that two ranks which send to each other
/// and then wait never wait for ever.
class MpiMessages {
 public:
  MpiMessages(MPI_Comm comm, std::size_t piece_bytes) : comm_(comm), piece_bytes_(piece_bytes) {}

  void send(int destination, int tag, Bytes bytes);
  /// The next message taken in; those of one source in the order they were sent.
  std::optional<Message> next();
  /// Completes what can be completed, without waiting.
  void progress();
  bool is_everything_sent() const { return outgoing_.empty(); }
  /// Nothing is under way in either direction.
  bool is_idle() const { return outgoing_.empty() && arriving_.empty(); }

 private:
  struct Arriving {
    int source;
    MpiTransfer transfer;
    bool is_head_read = false;
    Message message;
  };

  void accept_heads();
  void advance_arriving();
  /// Reads a head that has arrived whole; posts the receives of the pieces.
  void read_head(Arriving& arriving);

  MPI_Comm comm_;
  std::size_t piece_bytes_;
  std::list<MpiTransfer> outgoing_;
  std::list<Arriving> arriving_;  // in order of arrival
  std::deque<Message> inbox_;
};

}  // namespace orchard::comm
