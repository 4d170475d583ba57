#pragma once
// Short forms for writing rows of the table.

#include "table.hpp"

namespace orchard::options {

inline constexpr CommandSet kPredicting = set_of(Command::kPredict);
inline constexpr CommandSet kSearching = set_of(Command::kSearch) | set_of(Command::kPlan);
inline constexpr CommandSet kFitting = kSearching | set_of(Command::kTrain);
inline constexpr CommandSet kEveryJob = kFitting | kPredicting;

inline constexpr std::int64_t kMaxInteger = std::numeric_limits<std::int64_t>::max();

using WordList = std::vector<std::string>;

inline Accepts path(WordList words = {}) {
  return {.words = std::move(words), .text = TextKind::kPath};
}
inline Accepts column(WordList words = {}) {
  return {.words = std::move(words), .text = TextKind::kColumn};
}
inline Accepts columns() { return {.words = {"none"}, .text = TextKind::kColumn, .is_list = true}; }
inline Accepts plain_name() { return {.text = TextKind::kName}; }
inline Accepts integer(std::int64_t min, std::int64_t max = kMaxInteger, WordList words = {}) {
  return {.words = std::move(words), .integers = IntegerRange{min, max}};
}
inline Accepts real(RealRange range, WordList words = {}) {
  return {.words = std::move(words), .reals = range};
}
inline Accepts count_or_fraction(std::int64_t min, RealRange range, WordList words = {}) {
  return {.words = std::move(words), .integers = IntegerRange{min, kMaxInteger}, .reals = range};
}
inline Accepts choice(WordList words) { return {.words = std::move(words)}; }
inline Accepts choices(WordList words) { return {.words = std::move(words), .is_list = true}; }
inline Accepts boolean() { return choice({"true", "false"}); }

inline WordList with(WordList words, std::string first) {
  words.insert(words.begin(), std::move(first));
  return words;
}

}  // namespace orchard::options
