#include "mpi_messages.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mpi_call.hpp"
#include "orchard/base/clock.hpp"

namespace orchard::comm {
namespace {

constexpr int kHeadTag = 1;
constexpr int kPieceTag = 2;

struct Head {
  std::int64_t tag;
  std::uint64_t n_bytes;
};

/// Payloads up to this size travel in the head: small enough to be sent eagerly everywhere.
constexpr std::size_t kShort_bytes = 2048;
/// Heads taken in at a time, so that a flood does not keep a rank from its work.
constexpr int kMaxHeads = 256;
/// How long a poll stays with a message that is arriving.
constexpr double kPatience_s = 3e-3;

}  // namespace

void MpiMessages::send(int destination, int tag, Bytes bytes) {
  const Head head{tag, bytes.size()};
  const bool is_short = bytes.size() <= kShort_bytes;
  Bytes first(sizeof head + (is_short ? bytes.size() : 0));
  std::memcpy(first.data(), &head, sizeof head);
  if (is_short && !bytes.empty()) {
    std::memcpy(first.data() + sizeof head, bytes.data(), bytes.size());
  }
  // The head is one MPI message whatever the size of a piece: its length tells short from long.
  MpiTransfer transfer(piece_bytes_);
  const auto kept = transfer.keep(std::move(first));
  check(MPI_Isend(kept.data(), static_cast<int>(kept.size()), MPI_BYTE, destination, kHeadTag,
                  comm_, transfer.add()),
        "MPI_Isend");
  if (!is_short) transfer.send(transfer.keep(std::move(bytes)), destination, kPieceTag, comm_);
  if (!transfer.is_complete()) outgoing_.push_back(std::move(transfer));
}

std::optional<Message> MpiMessages::next() {
  progress();
  // A long message moves only while both sides are inside MPI, and polls are far apart: what has
  // begun to arrive is worth a short wait.
  const double until_s = arriving_.empty() ? 0 : monotonic_s() + kPatience_s;
  while (inbox_.empty() && !arriving_.empty() && monotonic_s() < until_s) progress();
  if (inbox_.empty()) return std::nullopt;
  Message message = std::move(inbox_.front());
  inbox_.pop_front();
  return message;
}

void MpiMessages::progress() {
  outgoing_.remove_if([](MpiTransfer& transfer) { return transfer.is_complete(); });
  accept_heads();
  advance_arriving();
}

void MpiMessages::accept_heads() {
  for (int n_heads = 0; n_heads < kMaxHeads; ++n_heads) {
    int is_there = 0, n_bytes = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, kHeadTag, comm_, &is_there, &status), "MPI_Iprobe");
    if (is_there == 0) return;
    check(MPI_Get_count(&status, MPI_BYTE, &n_bytes), "MPI_Get_count");
    arriving_.push_back({status.MPI_SOURCE, MpiTransfer(piece_bytes_), false, {}});
    MpiTransfer& transfer = arriving_.back().transfer;
    const auto kept = transfer.keep(Bytes(static_cast<std::size_t>(n_bytes)));
    // The one that was probed: of one source, messages match in order, and only this thread
    // receives.
    check(MPI_Irecv(kept.data(), n_bytes, MPI_BYTE, status.MPI_SOURCE, kHeadTag, comm_,
                    transfer.add()),
          "MPI_Irecv");
  }
}

// Goes through the arriving messages in order. A source is passed over once one of its messages is
// incomplete: pieces must be asked for, and messages delivered, in the order they were sent.
void MpiMessages::advance_arriving() {
  std::vector<int> incomplete;
  for (auto arriving = arriving_.begin(); arriving != arriving_.end();) {
    bool is_whole = false;
    if (std::find(incomplete.begin(), incomplete.end(), arriving->source) == incomplete.end() &&
        arriving->transfer.is_complete()) {
      if (!arriving->is_head_read) read_head(*arriving);
      is_whole = arriving->transfer.is_complete();
    }
    if (!is_whole) {
      incomplete.push_back(arriving->source);
      ++arriving;
      continue;
    }
    arriving->message.bytes = arriving->transfer.take(1);
    inbox_.push_back(std::move(arriving->message));
    arriving = arriving_.erase(arriving);
  }
}

void MpiMessages::read_head(Arriving& arriving) {
  const ByteSpan first = arriving.transfer.kept(0);
  Head head;
  require(first.size() >= sizeof head, "a message has a whole head");
  std::memcpy(&head, first.data(), sizeof head);
  const bool is_short = head.n_bytes <= kShort_bytes;
  const auto payload = arriving.transfer.keep(Bytes(head.n_bytes));
  arriving.message.source = arriving.source;
  arriving.message.tag = static_cast<int>(head.tag);
  arriving.is_head_read = true;
  if (!is_short) {
    arriving.transfer.receive(payload, arriving.source, kPieceTag, comm_);
  } else if (head.n_bytes > 0) {
    require(first.size() == sizeof head + head.n_bytes, "a short message is whole");
    std::memcpy(payload.data(), first.data() + sizeof head, head.n_bytes);
  }
}

}  // namespace orchard::comm
