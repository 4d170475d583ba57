#pragma once
// Distinct texts of a column while it is scanned.

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "csv_text.hpp"

namespace orchard::data {

inline constexpr std::size_t kMaxLevels = 65535;

/// Up to kMaxLevels distinct texts; one more and all are dropped. Holds views into the file's text
/// where it can.
class LevelSet {
 public:
  /// Throws RowFault for a NUL byte.
  void add(const Cell& cell) {
    if (!cell.has_doubled_quotes && cell.text == last_ && !is_overfull_) return;
    add_plain(cell);
  }
  bool is_overfull() const { return is_overfull_; }
  std::set<std::string> sorted() const { return {texts_.begin(), texts_.end()}; }

 private:
  void add_plain(const Cell& cell);

  std::unordered_set<std::string_view> texts_;
  std::deque<std::string> owned_;
  std::string_view last_;
  bool is_overfull_ = false;
};

}  // namespace orchard::data
