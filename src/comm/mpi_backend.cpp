#include "mpi_backend.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "mpi_call.hpp"
#include "orchard/base/log.hpp"
#include "orchard/base/process.hpp"
#include "orchard/base/text.hpp"
#include "waiting.hpp"

namespace orchard::comm {
namespace {

/// A broadcast starts with a block of this size, which holds the whole payload when that is short.
constexpr std::size_t kBroadcastHead_bytes = 512;
/// A gather to all ranks is one exchange of such blocks when all payloads fit into them.
constexpr std::size_t kGatherHead_bytes = 256;
/// MPI_Abort itself may hang.
constexpr unsigned kAbortPatience_s = 10;

}  // namespace

MpiBackend::MpiBackend(std::shared_ptr<MpiContext> context, std::shared_ptr<MpiLines> lines,
                       bool is_one_node)
    : Backend(
          [&] {
            int rank = 0;
            check(MPI_Comm_rank(lines->collectives, &rank), "MPI_Comm_rank");
            return rank;
          }(),
          [&] {
            int size = 0;
            check(MPI_Comm_size(lines->collectives, &size), "MPI_Comm_size");
            return size;
          }()),
      context_(std::move(context)),
      lines_(std::move(lines)),
      messages_(lines_->messages, context_->piece_bytes),
      is_one_node_(is_one_node) {}

MpiBackend::~MpiBackend() {
  lines_->is_released = !is_broken() && messages_.is_idle() && windows_.empty();
}

void MpiBackend::await(const std::function<bool()>& is_done, const char* operation, int root) {
  const auto test = [&] {
    messages_.progress();
    return is_done();
  };
  wait_until(test, deadline_s(), [&] {
    const std::string with = root >= 0 ? format(" (root {})", root) : "";
    return format("rank {} of {} waits in {}{}", rank(), size(), operation, with);
  });
}

void MpiBackend::finish(MpiTransfer& transfer, const char* operation, int root) {
  await([&] { return transfer.is_complete(); }, operation, root);
}

void MpiBackend::synchronise_windows() {
  for (MPI_Win window : context_->windows) check(MPI_Win_sync(window), "MPI_Win_sync");
}

void MpiBackend::barrier_asleep(const char* operation) {
  synchronise_windows();
  MpiTransfer all = transfer();
  check(MPI_Ibarrier(lines_->collectives, all.add()), "MPI_Ibarrier");
  finish(all, operation);
  synchronise_windows();
}

void MpiBackend::barrier() {
  guarded([&] { barrier_asleep("barrier"); });
}

Bytes MpiBackend::allocate_or_abort(std::uint64_t n_bytes, const char* operation) {
  try {
    return Bytes(n_bytes);
  } catch (const std::exception&) {
    abort(Error(ErrorKind::kResources,
                format("memory does not suffice for {} in a {}", print_bytes(n_bytes), operation)));
  }
}

Bytes MpiBackend::broadcast(Bytes bytes, int root) {
  return guarded([&] {
    const bool is_root = rank() == root;
    std::uint64_t n_bytes = is_root ? bytes.size() : 0;
    constexpr std::size_t kInline_bytes = kBroadcastHead_bytes - sizeof n_bytes;
    MpiTransfer first = transfer();
    const auto head = first.keep(Bytes(kBroadcastHead_bytes));
    if (is_root) {
      std::memcpy(head.data(), &n_bytes, sizeof n_bytes);
      if (n_bytes > 0 && n_bytes <= kInline_bytes) {
        std::memcpy(head.data() + sizeof n_bytes, bytes.data(), n_bytes);
      }
    }
    first.broadcast(head, root, lines_->collectives);
    finish(first, "broadcast", root);
    std::memcpy(&n_bytes, head.data(), sizeof n_bytes);
    if (!is_root) bytes = allocate_or_abort(n_bytes, "broadcast");
    if (n_bytes <= kInline_bytes) {
      if (n_bytes > 0) std::memcpy(bytes.data(), head.data() + sizeof n_bytes, n_bytes);
      return std::move(bytes);
    }
    MpiTransfer rest = transfer();
    rest.broadcast(rest.keep(std::move(bytes)), root, lines_->collectives);
    finish(rest, "broadcast", root);
    return rest.take(0);
  });
}

std::vector<Bytes> MpiBackend::gather(const Bytes& bytes, int root) {
  return guarded([&] {
    const std::uint64_t n_bytes = bytes.size();
    std::vector<std::uint64_t> sizes(rank() == root ? static_cast<std::size_t>(size()) : 0);
    MpiTransfer sizing = transfer();
    const auto own = sizing.keep(Bytes(sizeof n_bytes));
    const auto all = sizing.keep(Bytes(sizes.size() * sizeof n_bytes));
    std::memcpy(own.data(), &n_bytes, sizeof n_bytes);
    check(MPI_Igather(own.data(), 1, MPI_UINT64_T, all.data(), 1, MPI_UINT64_T, root,
                      lines_->collectives, sizing.add()),
          "MPI_Igather");
    finish(sizing, "gather", root);
    if (rank() == root) {
      std::memcpy(sizes.data(), all.data(), all.size());
      return receive_all(bytes, sizes);
    }
    MpiTransfer payload = transfer();
    payload.send(bytes, root, kGatherTag, lines_->collectives);
    finish(payload, "gather", root);
    return std::vector<Bytes>();
  });
}

std::vector<Bytes> MpiBackend::receive_all(const Bytes& own,
                                           const std::vector<std::uint64_t>& sizes) {
  MpiTransfer payloads = transfer();
  for (int source = 0; source < size(); ++source) {
    if (source == rank()) {
      payloads.keep(own);
      continue;
    }
    const auto n_bytes = sizes[static_cast<std::size_t>(source)];
    payloads.receive(payloads.keep(allocate_or_abort(n_bytes, "gather")), source, kGatherTag,
                     lines_->collectives);
  }
  finish(payloads, "gather", rank());
  std::vector<Bytes> gathered;
  for (std::size_t source = 0; source < sizes.size(); ++source) {
    gathered.push_back(payloads.take(source));
  }
  return gathered;
}

std::vector<Bytes> MpiBackend::all_gather(const Bytes& bytes) {
  return guarded([&] {
    const std::uint64_t n_bytes = bytes.size();
    constexpr std::size_t kInline_bytes = kGatherHead_bytes - sizeof n_bytes;
    const auto n_ranks = static_cast<std::size_t>(size());
    MpiTransfer heads = transfer();
    const auto own = heads.keep(Bytes(kGatherHead_bytes));
    const auto all = heads.keep(allocate_or_abort(n_ranks * kGatherHead_bytes, "gather"));
    std::memcpy(own.data(), &n_bytes, sizeof n_bytes);
    if (n_bytes > 0 && n_bytes <= kInline_bytes) {
      std::memcpy(own.data() + sizeof n_bytes, bytes.data(), n_bytes);
    }
    check(MPI_Iallgather(own.data(), kGatherHead_bytes, MPI_BYTE, all.data(), kGatherHead_bytes,
                         MPI_BYTE, lines_->collectives, heads.add()),
          "MPI_Iallgather");
    finish(heads, "gather to all ranks");
    std::vector<Bytes> parts(n_ranks);
    bool are_inline = true;
    for (std::size_t source = 0; source < n_ranks; ++source) {
      const std::byte* head = all.data() + source * kGatherHead_bytes;
      std::uint64_t part_bytes = 0;
      std::memcpy(&part_bytes, head, sizeof part_bytes);
      are_inline = are_inline && part_bytes <= kInline_bytes;
      if (are_inline)
        parts[source].assign(head + sizeof n_bytes, head + sizeof n_bytes + part_bytes);
    }
    if (are_inline) return parts;
    ByteWriter packed;
    for (const auto& part : gather(bytes, 0)) packed.put(part);
    const Bytes whole = broadcast(packed.take(), 0);
    ByteReader reader(whole);
    for (auto& part : parts) part = reader.get_vector<std::byte>();
    return parts;
  });
}

std::vector<Bytes> MpiBackend::exchange(std::vector<Bytes> for_ranks) {
  return guarded([&] {
    std::vector<std::uint64_t> sizes;
    for (const Bytes& bytes : for_ranks) sizes.push_back(bytes.size());
    std::vector<std::uint64_t> incoming(sizes.size());
    MpiTransfer sizing = transfer();
    const auto given = sizing.keep(Bytes(sizes.size() * sizeof sizes[0]));
    const auto taken = sizing.keep(Bytes(given.size()));
    std::memcpy(given.data(), sizes.data(), given.size());
    check(MPI_Ialltoall(given.data(), 1, MPI_UINT64_T, taken.data(), 1, MPI_UINT64_T,
                        lines_->collectives, sizing.add()),
          "MPI_Ialltoall");
    finish(sizing, "exchange");
    std::memcpy(incoming.data(), taken.data(), taken.size());

    MpiTransfer payloads = transfer();
    for (int source = 0; source < size(); ++source) {
      const auto at = static_cast<std::size_t>(source);
      if (source == rank()) {
        payloads.keep(std::move(for_ranks[at]));
        continue;
      }
      payloads.receive(payloads.keep(allocate_or_abort(incoming[at], "exchange")), source,
                       kExchangeTag, lines_->collectives);
    }
    for (int step = 1; step < size(); ++step) {
      const int destination = (rank() + step) % size();
      payloads.send(payloads.keep(std::move(for_ranks[static_cast<std::size_t>(destination)])),
                    destination, kExchangeTag, lines_->collectives);
    }
    finish(payloads, "exchange");
    std::vector<Bytes> received;
    for (std::size_t source = 0; source < incoming.size(); ++source) {
      received.push_back(payloads.take(source));
    }
    return received;
  });
}

void MpiBackend::reduce(std::span<std::int64_t> values, Reduction reduction) {
  guarded([&] {
    const MPI_Op operation = reduction == Reduction::kSum   ? MPI_SUM
                             : reduction == Reduction::kMin ? MPI_MIN
                                                            : MPI_MAX;
    synchronise_windows();
    const std::size_t piece = std::max<std::size_t>(1, context_->piece_bytes / sizeof values[0]);
    for (std::size_t begin = 0; begin < values.size(); begin += piece) {
      reduce_piece(values.subspan(begin, std::min(piece, values.size() - begin)), operation);
    }
    synchronise_windows();
  });
}

void MpiBackend::reduce_piece(std::span<std::int64_t> values, MPI_Op operation) {
  MpiTransfer sum = transfer();
  const auto kept = sum.keep(allocate_or_abort(values.size_bytes(), "reduction"));
  std::memcpy(kept.data(), values.data(), kept.size());
#ifdef ORCHARD_SIMULATION
  // SMPI's other form sends from every rank to every other one.
  check(MPI_Allreduce(MPI_IN_PLACE, kept.data(), static_cast<int>(values.size()), MPI_INT64_T,
                      operation, lines_->collectives),
        "MPI_Allreduce");
#else
  check(MPI_Iallreduce(MPI_IN_PLACE, kept.data(), static_cast<int>(values.size()), MPI_INT64_T,
                       operation, lines_->collectives, sum.add()),
        "MPI_Iallreduce");
  finish(sum, "reduction");
#endif
  std::memcpy(values.data(), kept.data(), kept.size());
}

// Every rank sends each other rank its part and adds up what comes for its own: the least there is
// to send, and no step waits for another.
void MpiBackend::sum_parts(std::span<std::int64_t> values, std::span<const std::size_t> borders) {
  guarded([&] {
    const auto part_of = [&](int owner) {
      const auto at = static_cast<std::size_t>(owner);
      return values.subspan(borders[at], borders[at + 1] - borders[at]);
    };
    const auto own = part_of(rank());
    MpiTransfer parts = transfer();
    for (int other = 0; other + 1 < size(); ++other) {
      parts.keep(allocate_or_abort(own.size_bytes(), "sum in parts"));
    }
    for (int step = 1; step < size(); ++step) {
      const int source = (rank() + size() - step) % size();
      parts.receive(parts.kept_memory(static_cast<std::size_t>(step) - 1), source, kPartTag,
                    lines_->collectives);
    }
    for (int step = 1; step < size(); ++step) {
      const int owner = (rank() + step) % size();
      parts.send(std::as_bytes(part_of(owner)), owner, kPartTag, lines_->collectives);
    }
    finish(parts, "sum in parts");
    for (std::size_t other = 0; other + 1 < static_cast<std::size_t>(size()); ++other) {
      const std::byte* from = parts.kept(other).data();
      for (std::size_t i = 0; i < own.size(); ++i) {
        std::int64_t value = 0;
        std::memcpy(&value, from + i * sizeof value, sizeof value);
        own[i] += value;
      }
    }
  });
}

void MpiBackend::send(int destination, int tag, Bytes bytes) {
  guarded([&] {
    messages_.send(destination, tag, std::move(bytes));
    messages_.progress();
  });
}

std::optional<Message> MpiBackend::try_receive() {
  return guarded([&] { return messages_.next(); });
}

void MpiBackend::flush() {
  guarded(
      [&] { await([&] { return messages_.is_everything_sent(); }, "flush of sent messages", -1); });
}

void MpiBackend::abort(const Error& error) {
  int world_rank = rank();
  MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
  log::error(format("rank {} on {}: {}", world_rank, host_name(), error.what()));
  std::fflush(nullptr);
  std::signal(SIGALRM, SIG_DFL);
  alarm(kAbortPatience_s);
  // mpirun would take code 0 for success.
  const int code = error.exit_code() > 0 ? error.exit_code() : 1;
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace orchard::comm
