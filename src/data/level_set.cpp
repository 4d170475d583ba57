#include "level_set.hpp"

#include "orchard/base/text.hpp"

namespace orchard::data {

std::uint32_t LevelSet::add_plain(const Cell& cell) {
  if (cell.text.find('\0') != std::string_view::npos) {
    throw RowFault{format("a NUL byte in the cell '{}'", escape(cell.text, 40))};
  }
  if (is_overfull_) return 0;
  std::string scratch;
  std::string_view text = plain_text(cell, scratch);
  const auto known = number_of_.find(text);
  if (known != number_of_.end()) {
    last_ = known->first;
    return last_number_ = known->second;
  }
  if (number_of_.size() == kMaxLevels) {
    is_overfull_ = true;
    number_of_.clear();
    owned_.clear();
    last_ = {};
    return 0;
  }
  if (cell.has_doubled_quotes) text = owned_.emplace_back(std::move(scratch));
  last_ = text;
  last_number_ = static_cast<std::uint32_t>(number_of_.size());
  number_of_.emplace(text, last_number_);
  if (cell.text.size() == 1) {
    number_of_letter_[static_cast<unsigned char>(cell.text.front())] = last_number_ + 1;
  }
  return last_number_;
}

std::set<std::string> LevelSet::sorted() const {
  std::set<std::string> out;
  for (const auto& [text, number] : number_of_) out.emplace(text);
  return out;
}

std::vector<std::string> LevelSet::in_order() const {
  std::vector<std::string> out(number_of_.size());
  for (const auto& [text, number] : number_of_) out[number] = text;
  return out;
}

}  // namespace orchard::data
