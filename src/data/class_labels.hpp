#pragma once
// Class labels: their order, and the class of a cell. When all labels are numbers, labels of equal
// value ("1", "1.0", "+1") are one class and the order is numeric; else labels are texts, bytewise.

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace orchard::data {

/// The classes in order; of equal numbers the shortest text.
std::vector<std::string> class_labels(const std::set<std::string>& texts);

/// Finds the class of a cell's text. Borrows the labels.
class ClassIndex {
 public:
  explicit ClassIndex(const std::vector<std::string>& classes);
  /// The class, or -1.
  std::int32_t find(std::string_view text) const;

 private:
  bool is_numeric_ = false;
  std::vector<double> values_;  ///< ascending, when numeric
  std::vector<std::int32_t> class_of_value_;
  std::unordered_map<std::string_view, std::int32_t> class_of_text_;
};

}  // namespace orchard::data
