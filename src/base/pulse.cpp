#include "orchard/base/pulse.hpp"

#include <algorithm>
#include <cstring>

namespace orchard {
namespace {

thread_local Pulse* own = nullptr;

}  // namespace

void Pulse::tell(std::string_view doing) {
  for (std::size_t word = 0; word < kWords; ++word) {
    std::uint64_t bits = 0;
    const std::size_t at = word * sizeof bits;
    if (at < doing.size()) {
      std::memcpy(&bits, doing.data() + at, std::min(sizeof bits, doing.size() - at));
    }
    // The last byte stays zero.
    if (word + 1 == kWords) bits &= ~std::uint64_t{0} >> 8;
    text_[word].store(bits, std::memory_order_relaxed);
  }
}

std::string Pulse::doing() const {
  std::array<char, kWords * sizeof(std::uint64_t)> text{};
  for (std::size_t word = 0; word < kWords; ++word) {
    const auto bits = text_[word].load(std::memory_order_relaxed);
    std::memcpy(text.data() + word * sizeof bits, &bits, sizeof bits);
  }
  text.back() = 0;
  return text.data();
}

Pulse* own_pulse() { return own; }
void set_own_pulse(Pulse* pulse) { own = pulse; }

void beat() {
  if (own != nullptr) own->beat();
}

Doing::Doing(std::string_view what, Beats beats) : pulse_(own) {
  if (pulse_ == nullptr) return;
  before_ = pulse_->doing();
  was_silent_ = pulse_->is_silent();
  pulse_->tell(what);
  pulse_->set_silent(beats == Beats::kNone);
  pulse_->beat();
}

Doing::~Doing() {
  if (pulse_ == nullptr) return;
  pulse_->tell(before_);
  pulse_->set_silent(was_silent_);
  pulse_->beat();
}

}  // namespace orchard
