#include "checkpoint_files.hpp"

#include <algorithm>
#include <tuple>

#include "orchard/base/directory.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/text.hpp"
#include "orchard/h5/user_block.hpp"

namespace orchard::store {
namespace {

constexpr std::string_view kStampForm = "00000000T000000Z";  // 0 stands for any digit

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The sequence in "FILE-<UTC>-<digits>.h5", or nothing when the name has another form.
std::optional<std::uint64_t> sequence_in_name(const std::string& name, const std::string& file) {
  const std::string begin = file + "-", end = ".h5";
  if (!name.starts_with(begin) || !name.ends_with(end)) return std::nullopt;
  if (name.size() < begin.size() + kStampForm.size() + 2 + end.size()) return std::nullopt;
  for (std::size_t i = 0; i < kStampForm.size(); ++i) {
    const char c = name[begin.size() + i];
    if (kStampForm[i] == '0' ? !is_digit(c) : c != kStampForm[i]) return std::nullopt;
  }
  const std::size_t dash = begin.size() + kStampForm.size();
  const std::string digits = name.substr(dash + 1, name.size() - end.size() - dash - 1);
  if (name[dash] != '-' || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return std::nullopt;
  }
  const auto sequence = parse_int(digits);
  if (!sequence) return std::nullopt;
  return static_cast<std::uint64_t>(*sequence);
}

std::optional<std::uint64_t> inner_sequence(const std::string& path) {
  try {
    return h5::read_user_block(read_file_head(path, h5::kUserBlockBytes), path).sequence;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::string numbered_path(const CheckpointPlace& place, const std::string& utc,
                          std::uint64_t sequence) {
  return format("{}/{}-{}-{:06}.h5", place.directory, place.file, utc, sequence);
}

std::string latest_path(const CheckpointPlace& place) {
  return format("{}/{}.h5", place.directory, place.file);
}

std::vector<CheckpointFile> list_checkpoints(const CheckpointPlace& place) {
  std::vector<CheckpointFile> files;
  for (const auto& name : list_directory(place.directory)) {
    CheckpointFile file;
    const auto name_sequence = sequence_in_name(name, place.file);
    if (!name_sequence && name != place.file + ".h5") continue;
    file.path = place.directory + "/" + name;
    file.is_numbered = name_sequence.has_value();
    file.name_sequence = name_sequence.value_or(0);
    file.sequence = inner_sequence(file.path);
    files.push_back(std::move(file));
  }
  const auto order = [](const CheckpointFile& file) {
    return std::tuple(file.sequence.has_value(), file.sequence.value_or(0), file.is_numbered,
                      file.name_sequence, file.path);
  };
  std::sort(files.begin(), files.end(),
            [&](const auto& a, const auto& b) { return order(a) > order(b); });
  return files;
}

}  // namespace orchard::store
