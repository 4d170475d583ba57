#include "orchard/base/pulse.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <thread>

namespace orchard {
namespace {

TEST(Pulse, ZeroedMemoryIsARankThatNobodyWatches) {
  alignas(Pulse) std::byte memory[sizeof(Pulse)] = {};
  const auto& pulse = *reinterpret_cast<Pulse*>(memory);
  EXPECT_EQ(pulse.n_beats(), 0u);
  EXPECT_EQ(pulse.doing(), "");
  EXPECT_FALSE(pulse.is_silent());
}

TEST(Pulse, KeepsTheBeginningOfLongTexts) {
  Pulse pulse;
  for (const std::size_t length : {0, 1, 7, 8, 9, 118, 119, 120, 500}) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>('a' + i % 26);
    pulse.tell(text);
    EXPECT_EQ(pulse.doing(), text.substr(0, 119));
  }
  pulse.tell("short");
  EXPECT_EQ(pulse.doing(), "short");
}

TEST(Pulse, BelongsToAThread) {
  Pulse pulse;
  beat();
  set_own_pulse(&pulse);
  beat();
  std::thread([] { beat(); }).join();
  EXPECT_EQ(pulse.n_beats(), 1u);
  set_own_pulse(nullptr);
  beat();
  EXPECT_EQ(pulse.n_beats(), 1u);
}

TEST(Doing, GivesBackWhatWasBefore) {
  Pulse pulse;
  set_own_pulse(&pulse);
  {
    const Doing outer("writes", Beats::kNone);
    {
      const Doing inner("waits");
      EXPECT_EQ(pulse.doing(), "waits");
      EXPECT_FALSE(pulse.is_silent());
    }
    EXPECT_EQ(pulse.doing(), "writes");
    EXPECT_TRUE(pulse.is_silent());
  }
  EXPECT_EQ(pulse.doing(), "");
  EXPECT_FALSE(pulse.is_silent());
  EXPECT_EQ(pulse.n_beats(), 4u);
  set_own_pulse(nullptr);
  const Doing nobody("sees this");
}

}  // namespace
}  // namespace orchard
