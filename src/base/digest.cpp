#include "orchard/base/digest.hpp"

#include <xxhash.h>

#include "orchard/base/text.hpp"

namespace orchard {

std::string Digest128::hex() const { return format("{:016x}{:016x}", high, low); }

Digest128 digest(ByteSpan bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Digest128 digest(std::string_view text) { return digest(std::as_bytes(std::span(text))); }

struct Digester::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};

Digester::Digester() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->xxh); }
Digester::~Digester() = default;
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;

void Digester::add(ByteSpan bytes) { XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size()); }

void Digester::add(std::string_view text) { add(std::as_bytes(std::span(text))); }

Digest128 Digester::value() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return {hash.high64, hash.low64};
}

}  // namespace orchard
