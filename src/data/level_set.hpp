#pragma once
// Distinct texts of a column while it is scanned.

#include <array>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "csv_text.hpp"

namespace orchard::data {

inline constexpr std::size_t kMaxLevels = 65535;

/// Up to kMaxLevels distinct texts; one more and all are dropped. Holds views into the file's text
/// where it can.
class LevelSet {
 public:
  /// Returns the text's number, in order of appearance (meaningless once overfull). Throws RowFault
  /// for a NUL byte.
  std::uint32_t add(const Cell& cell) {
    if (cell.text.size() == 1 && !is_overfull_) {
      const auto known = number_of_letter_[static_cast<unsigned char>(cell.text.front())];
      if (known != 0) return known - 1;
    }
    if (!cell.has_doubled_quotes && cell.text == last_ && !is_overfull_) return last_number_;
    return add_plain(cell);
  }
  bool is_overfull() const { return is_overfull_; }
  std::set<std::string> sorted() const;
  /// By number.
  std::vector<std::string> in_order() const;

 private:
  std::uint32_t add_plain(const Cell& cell);

  std::unordered_map<std::string_view, std::uint32_t> number_of_;
  std::deque<std::string> owned_;
  std::string_view last_;
  std::uint32_t last_number_ = 0;
  /// Of texts of one byte, plus 1; 0 where not yet seen.
  std::array<std::uint32_t, 256> number_of_letter_{};
  bool is_overfull_ = false;
};

}  // namespace orchard::data
