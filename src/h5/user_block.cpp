#include "orchard/h5/user_block.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::h5 {
namespace {

// Offsets inside the block; everything between the fields is zero. The last 16 bytes are the
// digest of those before them, so that a flipped bit anywhere in the block is found too.
constexpr std::array<char, 7> kMagic = {'O', 'R', 'C', 'H', 'A', 'R', 'D'};
constexpr std::size_t kKindAt = 7;
constexpr std::size_t kFormatAt = 8;
constexpr std::size_t kSequenceAt = 16;
constexpr std::size_t kSizeAt = 24;
constexpr std::size_t kContentAt = 32;
constexpr std::size_t kBlockDigestAt = kUserBlockBytes - 16;

template <class T>
void put(std::span<std::byte> block, std::size_t at, T value) {
  std::memcpy(block.data() + at, &value, sizeof value);
}

template <class T>
T get(ByteSpan block, std::size_t at) {
  T value;
  std::memcpy(&value, block.data() + at, sizeof value);
  return value;
}

void put_digest(std::span<std::byte> block, std::size_t at, const Digest128& value) {
  put(block, at, value.high);
  put(block, at + 8, value.low);
}

Digest128 get_digest(ByteSpan block, std::size_t at) {
  return {get<std::uint64_t>(block, at), get<std::uint64_t>(block, at + 8)};
}

[[noreturn]] void fail(const std::string& name, std::string message) {
  throw Error(ErrorKind::kData, std::move(message), name);
}

}  // namespace

std::string_view name_of(FileKind kind) {
  switch (kind) {
    case FileKind::kCheckpoint:
      return "checkpoint";
    case FileKind::kModel:
      return "model file";
    case FileKind::kResults:
      return "results file";
  }
  return "unknown file";
}

std::array<std::byte, kUserBlockBytes> to_bytes(const UserBlock& from) {
  std::array<std::byte, kUserBlockBytes> block = {};
  std::memcpy(block.data(), kMagic.data(), kMagic.size());
  put(block, kKindAt, from.kind);
  put(block, kFormatAt, from.format);
  put(block, kSequenceAt, from.sequence);
  put(block, kSizeAt, from.n_bytes);
  put_digest(block, kContentAt, from.content);
  put_digest(block, kBlockDigestAt, digest(ByteSpan(block).first(kBlockDigestAt)));
  return block;
}

void seal(Image& image, FileKind kind, std::uint32_t format, std::uint64_t sequence) {
  const auto file = image.mutable_bytes();
  require(file.size() > kUserBlockBytes, "an image is longer than its user block");
  UserBlock block;
  block.kind = kind;
  block.format = format;
  block.sequence = sequence;
  block.n_bytes = file.size();
  block.content = digest(file.subspan(kUserBlockBytes));
  const auto bytes = to_bytes(block);
  std::copy(bytes.begin(), bytes.end(), file.begin());
}

UserBlock read_user_block(ByteSpan head, const std::string& name) {
  if (head.size() < kUserBlockBytes) {
    fail(name, format("is cut off after {}, not even its head of {} bytes is whole",
                      counted(head.size(), "byte"), kUserBlockBytes));
  }
  const ByteSpan block = head.first(kUserBlockBytes);
  if (std::memcmp(block.data(), kMagic.data(), kMagic.size()) != 0) {
    fail(name, "is not a file of orchard's, or its first bytes are damaged");
  }
  if (get_digest(block, kBlockDigestAt) != digest(block.first(kBlockDigestAt))) {
    fail(name, "is damaged: the digest of its head does not match");
  }
  UserBlock found;
  found.kind = static_cast<FileKind>(get<char>(block, kKindAt));
  if (found.kind != FileKind::kCheckpoint && found.kind != FileKind::kModel &&
      found.kind != FileKind::kResults) {
    fail(name, "is of a kind that this version of orchard does not know");
  }
  found.format = get<std::uint32_t>(block, kFormatAt);
  found.sequence = get<std::uint64_t>(block, kSequenceAt);
  found.n_bytes = get<std::uint64_t>(block, kSizeAt);
  found.content = get_digest(block, kContentAt);
  return found;
}

UserBlock check_file(ByteSpan file, const std::string& name) {
  const UserBlock found = read_user_block(file, name);
  if (file.size() != found.n_bytes) {
    fail(name, format("is damaged: it has {} bytes, expected {}{}", file.size(), found.n_bytes,
                      file.size() < found.n_bytes ? " (cut off)" : ""));
  }
  const Digest128 content = digest(file.subspan(kUserBlockBytes));
  if (content != found.content) {
    fail(name, format("is damaged: digest {} instead of {}", content.hex(), found.content.hex()));
  }
  return found;
}

}  // namespace orchard::h5
