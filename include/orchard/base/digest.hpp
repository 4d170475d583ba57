#pragma once
// 128-bit content digests (XXH3). They find damage and change; they are not signatures.

#include <memory>
#include <string>
#include <string_view>

#include "orchard/base/types.hpp"

namespace orchard {

struct Digest128 {
  std::uint64_t high = 0, low = 0;
  bool operator==(const Digest128&) const = default;
  /// 32 lower-case hexadecimal digits.
  std::string hex() const;
};

Digest128 digest(ByteSpan bytes);
Digest128 digest(std::string_view text);

/// Digest of a stream: the same as `digest` of all pieces in one.
class Digester {
 public:
  Digester();
  ~Digester();
  Digester(Digester&&) noexcept;
  Digester& operator=(Digester&&) noexcept;
  void add(ByteSpan bytes);
  void add(std::string_view text);
  Digest128 value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orchard
