#include "level_set.hpp"

#include "orchard/base/text.hpp"

namespace orchard::data {

void LevelSet::add_plain(const Cell& cell) {
  if (cell.text.find('\0') != std::string_view::npos) {
    throw RowFault{format("a NUL byte in the cell '{}'", escape(cell.text, 40))};
  }
  if (is_overfull_) return;
  std::string scratch;
  std::string_view text = plain_text(cell, scratch);
  const auto known = texts_.find(text);
  if (known != texts_.end()) {
    last_ = *known;
    return;
  }
  if (texts_.size() == kMaxLevels) {
    is_overfull_ = true;
    texts_.clear();
    owned_.clear();
    last_ = {};
    return;
  }
  if (cell.has_doubled_quotes) text = owned_.emplace_back(std::move(scratch));
  last_ = text;
  texts_.insert(text);
}

}  // namespace orchard::data
