// The part of the MPI back end that makes and frees communicators and shared windows.

#include <algorithm>
#include <cstring>
#include <utility>

#include "mpi_backend.hpp"
#include "mpi_call.hpp"
#include "node_memory.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/base/text.hpp"

namespace orchard::comm {
namespace {

constexpr std::size_t kAlignment_bytes = 64;

/// Takes over `comm` and adds a second one for messages. Collective over `comm`.
std::shared_ptr<MpiLines> make_lines(MpiContext& context, MPI_Comm comm) {
  auto lines = std::make_shared<MpiLines>();
  lines->collectives = comm;
  check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_dup(comm, &lines->messages), "MPI_Comm_dup");
  check(MPI_Comm_set_errhandler(lines->messages, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  context.lines.push_back(lines);
  return lines;
}

void free_lines(MpiLines& lines) {
  if (lines.is_freed) return;
  lines.is_freed = true;
  check(MPI_Comm_free(&lines.messages), "MPI_Comm_free");
  check(MPI_Comm_free(&lines.collectives), "MPI_Comm_free");
}

/// Clears memory whose pages the system may take long to find.
void clear(std::byte* memory, std::size_t n_bytes) {
  constexpr std::size_t kPiece_bytes = std::size_t{1} << 24;
  for (std::size_t at = 0; at < n_bytes; at += kPiece_bytes) {
    std::memset(memory + at, 0, std::min(kPiece_bytes, n_bytes - at));
    beat();
  }
}

/// Divides a real node for tests.
MPI_Comm divide_node(MPI_Comm node, int ranks_per_node) {
  int rank = 0;
  check(MPI_Comm_rank(node, &rank), "MPI_Comm_rank");
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(node, rank / ranks_per_node, rank, &part), "MPI_Comm_split");
  check(MPI_Comm_free(&node), "MPI_Comm_free");
  return part;
}

}  // namespace

std::shared_ptr<MpiBackend> MpiBackend::make_world(std::shared_ptr<MpiContext> context) {
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "MPI_Comm_dup");
  auto lines = make_lines(*context, comm);
  return std::make_shared<MpiBackend>(std::move(context), std::move(lines), false);
}

std::shared_ptr<Backend> MpiBackend::split_by_node() {
  const int ranks_per_node = artificial_ranks_per_node();
  free_released_parts();
  return guarded([&] {
    barrier_asleep("split by node");
    MPI_Comm node = MPI_COMM_NULL;
    check(MPI_Comm_split_type(lines_->collectives, MPI_COMM_TYPE_SHARED, rank(), MPI_INFO_NULL,
                              &node),
          "MPI_Comm_split_type");
    if (ranks_per_node > 0) node = divide_node(node, ranks_per_node);
    return adopt(node, true);
  });
}

std::shared_ptr<Backend> MpiBackend::split(int colour) {
  free_released_parts();
  return guarded([&] {
    barrier_asleep("split");
    MPI_Comm part = MPI_COMM_NULL;
    check(MPI_Comm_split(lines_->collectives, colour, rank(), &part), "MPI_Comm_split");
    return adopt(part, is_one_node_);
  });
}

void MpiBackend::meet(const std::vector<int>& ranks) {
  const int first = ranks.front();
  const auto exchange = [&](bool sends) {
    MpiTransfer all = transfer();
    for (const int other : ranks) {
      if (other == rank() || (rank() != first && other != first)) continue;
      const auto word = all.keep(Bytes(1));
      if (sends) {
        all.send(word, other, kMeetTag, lines_->collectives);
      } else {
        all.receive(word, other, kMeetTag, lines_->collectives);
      }
    }
    finish(all, "meeting of some ranks", first);
  };
  exchange(rank() != first);
  exchange(rank() == first);
}

std::shared_ptr<Backend> MpiBackend::subset(const std::vector<int>& ranks) {
  return guarded([&] {
    meet(ranks);
    MPI_Group all = MPI_GROUP_NULL, some = MPI_GROUP_NULL;
    check(MPI_Comm_group(lines_->collectives, &all), "MPI_Comm_group");
    check(MPI_Group_incl(all, static_cast<int>(ranks.size()), ranks.data(), &some),
          "MPI_Group_incl");
    MPI_Comm part = MPI_COMM_NULL;
    check(MPI_Comm_create_group(lines_->collectives, some, kMeetTag, &part),
          "MPI_Comm_create_group");
    check(MPI_Group_free(&some), "MPI_Group_free");
    check(MPI_Group_free(&all), "MPI_Group_free");
    auto backend =
        std::make_shared<MpiBackend>(context_, make_lines(*context_, part), is_one_node_);
    backend->set_deadline(deadline_s());
    return std::shared_ptr<Backend>(backend);
  });
}

void MpiBackend::dissolve() {
  guarded([&] {
    barrier_asleep("end of a group");
    free_lines(*lines_);
    std::erase(context_->lines, lines_);
  });
  broken_ = "the group of ranks has been dissolved";
}

std::shared_ptr<Backend> MpiBackend::adopt(MPI_Comm part, bool is_node) {
  auto lines = make_lines(*context_, part);
  parts_.push_back(lines);
  auto backend = std::make_shared<MpiBackend>(context_, std::move(lines), is_node);
  backend->set_deadline(deadline_s());
  return backend;
}

// Freeing is collective, and ranks let go of a part at different times. Each split made one part
// on every rank, so the ranks can agree by position on the parts that all have released.
void MpiBackend::free_released_parts() {
  if (parts_.empty()) return;
  std::vector<std::int64_t> are_released;
  for (const auto& part : parts_) are_released.push_back(part->is_released ? 1 : 0);
  reduce(are_released, Reduction::kMin);
  std::vector<std::shared_ptr<MpiLines>> kept;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (are_released[part] == 0) {
      kept.push_back(parts_[part]);
      continue;
    }
    free_lines(*parts_[part]);
    std::erase(context_->lines, parts_[part]);
  }
  parts_ = std::move(kept);
}

SharedMemory MpiBackend::allocate_shared(std::size_t n_bytes) {
  return guarded([&] {
    barrier_asleep("allocation of shared memory");
    if (size() == 1) return SharedMemory{map_memory(n_bytes), n_bytes, next_window_++};
    return map_window(n_bytes);
  });
}

// Rank 0 owns all bytes; every rank clears a share, so that the pages come from where the ranks
// run and the room is really taken now.
SharedMemory MpiBackend::map_window(std::size_t n_bytes) {
  const auto own_bytes = static_cast<MPI_Aint>(rank() == 0 ? n_bytes + kAlignment_bytes : 0);
  void* base = nullptr;
  MPI_Win window = MPI_WIN_NULL;
  if (const int code =
          MPI_Win_allocate_shared(own_bytes, 1, MPI_INFO_NULL, lines_->collectives, &base, &window);
      code != MPI_SUCCESS) {
    // The other ranks may be waiting inside the call for ever.
    abort(Error(ErrorKind::kResources,
                format("a shared window of {} could not be made", print_bytes(n_bytes))));
  }
  check(MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler");
  MPI_Aint window_bytes = 0;
  int unit_bytes = 0;
  check(MPI_Win_shared_query(window, 0, &window_bytes, &unit_bytes, &base), "MPI_Win_shared_query");
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window), "MPI_Win_lock_all");
  context_->windows.push_back(window);

  // Mappings differ between processes by whole pages, but only rank 0's word is sure.
  std::int64_t skip =
      rank() == 0
          ? static_cast<std::int64_t>(-reinterpret_cast<std::uintptr_t>(base) % kAlignment_bytes)
          : 0;
  reduce_piece(std::span(&skip, 1), MPI_SUM);
  SharedMemory memory{static_cast<std::byte*>(base) + skip, n_bytes, next_window_++};
  windows_[memory.id] = window;

  const auto n_ranks = static_cast<std::size_t>(size());
  const std::size_t share = n_bytes / n_ranks + 1;
  const std::size_t begin = std::min(n_bytes, share * static_cast<std::size_t>(rank()));
  clear(memory.data + begin, std::min(share, n_bytes - begin));
  barrier_asleep("clearing of shared memory");
  return memory;
}

void MpiBackend::free_shared(const SharedMemory& memory) {
  guarded([&] {
    barrier_asleep("free of shared memory");
    if (size() == 1) {
      unmap_memory(memory.data, memory.n_bytes);
      return;
    }
    const auto found = windows_.find(memory.id);
    require(found != windows_.end(), "shared memory is freed once, by those that made it");
    MPI_Win window = found->second;
    windows_.erase(found);
    std::erase(context_->windows, window);
    check(MPI_Win_unlock_all(window), "MPI_Win_unlock_all");
    check(MPI_Win_free(&window), "MPI_Win_free");
  });
}

// Communicators with windows still on them are left to MPI_Finalize. Creation order is the same for
// all ranks of a communicator, so the collective frees meet.
void MpiBackend::leave() {
  guarded([&] {
    barrier_asleep("end of the program");
    for (const auto& lines : context_->lines) {
      if (lines->is_released || lines == lines_) free_lines(*lines);
    }
  });
}

}  // namespace orchard::comm
