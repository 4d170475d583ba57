#include "orchard/base/error.hpp"

namespace orchard {

Error::Error(ErrorKind kind, std::string message, std::string where, std::string hint)
    : kind_(kind), message_(std::move(message)), where_(std::move(where)), hint_(std::move(hint)) {
  if (!where_.empty()) text_ = where_ + ": ";
  text_ += message_;
  if (hint_.empty()) return;
  const bool is_sentence =
      text_.empty() || std::string(".?!:;\n").find(text_.back()) != std::string::npos;
  text_ += is_sentence ? " " : ". ";
  text_ += hint_;
}

void require(bool condition, const char* what_was_expected) {
  if (!condition) {
    throw Error(ErrorKind::kInternal, std::string("internal check failed: ") + what_was_expected);
  }
}

}  // namespace orchard
