#include "thread_room.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "orchard/base/text.hpp"

namespace orchard::comm {

ThreadRoom::ThreadRoom(std::shared_ptr<ThreadRun> run, std::vector<int> members)
    : run_(std::move(run)),
      members_(std::move(members)),
      mailboxes_(members_.size()),
      arrivals_(members_.size()) {}

void ThreadRoom::check_alive() const {
  if (run_->failure) throw Error(ErrorKind::kInternal, *run_->failure);
  if (broken_) throw Error(ErrorKind::kInternal, *broken_);
}

std::string ThreadRoom::missing(bool only_gone) const {
  std::vector<std::string> ranks;
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    const bool is_gone = run_->has_left[static_cast<std::size_t>(members_[rank])];
    if (!arrivals_[rank] && (is_gone || !only_gone)) ranks.push_back(std::to_string(rank));
  }
  return join(ranks, ", ");
}

ThreadRoom::Slots ThreadRoom::exchange(int rank, const std::string& operation, Bytes bytes,
                                       double deadline_s) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(deadline_s));
  std::unique_lock lock(run_->mutex);
  check_alive();
  arrivals_[static_cast<std::size_t>(rank)] = Arrival{operation, std::move(bytes)};
  const std::uint64_t generation = generation_;
  if (++n_arrived_ == size()) finish_exchange();
  while (generation_ == generation) {
    check_alive();
    if (const std::string gone = missing(true); !gone.empty()) {
      broken_ = format("{} waits for ranks that have returned: {}", operation, gone);
    } else if (run_->changed.wait_until(lock, deadline) == std::cv_status::timeout &&
               generation_ == generation) {
      broken_ = format("rank {} of {} waited {} s for {}; missing ranks: {}", rank, size(),
                       deadline_s, operation, missing(false));
    }
    if (broken_) run_->changed.notify_all();
  }
  check_alive();
  return result_;
}

void ThreadRoom::finish_exchange() {
  auto slots = std::make_shared<std::vector<Bytes>>();
  const std::string& operation = arrivals_.front()->operation;
  for (std::size_t rank = 0; rank < arrivals_.size(); ++rank) {
    if (arrivals_[rank]->operation != operation) {
      broken_ = format("rank 0 calls {} while rank {} calls {}", operation, rank,
                       arrivals_[rank]->operation);
    }
    slots->push_back(std::move(arrivals_[rank]->bytes));
  }
  for (auto& arrival : arrivals_) arrival.reset();
  result_ = std::move(slots);
  n_arrived_ = 0;
  ++generation_;
  run_->changed.notify_all();
}

void ThreadRoom::post(int destination, Message message) {
  const std::lock_guard lock(run_->mutex);
  check_alive();
  mailboxes_[static_cast<std::size_t>(destination)].push_back(std::move(message));
}

std::optional<Message> ThreadRoom::take(int rank) {
  const std::lock_guard lock(run_->mutex);
  check_alive();
  auto& mailbox = mailboxes_[static_cast<std::size_t>(rank)];
  if (mailbox.empty()) return std::nullopt;
  Message message = std::move(mailbox.front());
  mailbox.pop_front();
  return message;
}

std::shared_ptr<ThreadRoom> ThreadRoom::part(int rank, const std::vector<int>& colours) {
  const int colour = colours[static_cast<std::size_t>(rank)];
  const std::lock_guard lock(run_->mutex);
  Part& part = parts_[colour];
  if (part.room == nullptr) {
    std::vector<int> part_members;
    for (std::size_t other = 0; other < colours.size(); ++other) {
      if (colours[other] == colour) part_members.push_back(members_[other]);
    }
    part.room = std::make_shared<ThreadRoom>(run_, std::move(part_members));
  }
  const auto room = part.room;
  if (++part.n_taken == room->size()) parts_.erase(colour);
  return room;
}

std::shared_ptr<ThreadRoom> ThreadRoom::subset(const std::vector<int>& ranks) {
  const std::lock_guard lock(run_->mutex);
  Part& part = subsets_[ranks];
  if (part.room == nullptr) {
    std::vector<int> part_members;
    for (const int rank : ranks) part_members.push_back(members_[static_cast<std::size_t>(rank)]);
    part.room = std::make_shared<ThreadRoom>(run_, std::move(part_members));
  }
  const auto room = part.room;
  if (++part.n_taken == room->size()) subsets_.erase(ranks);
  return room;
}

}  // namespace orchard::comm
