#include "orchard/store/compare.hpp"

#include <cstring>
#include <set>

#include "open_file.hpp"
#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::store {
namespace {

template <class T>
std::string print_as(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::is_floating_point_v<T>) return print_double(static_cast<double>(value));
  return format("{}", value);
}

std::string print_element(h5::ElementType type, const std::byte* at) {
  switch (type) {
    case h5::ElementType::kUint8:
      return print_as<std::uint8_t>(at);
    case h5::ElementType::kInt32:
      return print_as<std::int32_t>(at);
    case h5::ElementType::kUint32:
      return print_as<std::uint32_t>(at);
    case h5::ElementType::kInt64:
      return print_as<std::int64_t>(at);
    case h5::ElementType::kUint64:
      return print_as<std::uint64_t>(at);
    case h5::ElementType::kFloat:
      return print_as<float>(at);
    case h5::ElementType::kDouble:
      return print_as<double>(at);
  }
  return {};
}

std::string print_shape(const h5::Object& object) {
  if (object.is_group) return "group";
  std::string text;
  for (const auto extent : object.shape) text += format("[{}]", extent);
  return format("{} {}", name_of(object.type), text);
}

std::string print_attribute(const h5::AttributeValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return format("{}", *number);
  if (const auto* number = std::get_if<double>(&value)) return print_double(*number);
  return format("'{}'", escape(std::get<std::string>(value)));
}

bool is_timing(const std::string& path) {
  return path == "/timing" || path.starts_with("/timing/");
}

/// Walks two open files side by side.
class Comparison {
 public:
  Comparison(const h5::Reader& a, const h5::Reader& b, std::size_t max_lines)
      : a_(a), b_(b), max_lines_(max_lines) {}

  std::vector<std::string> run() {
    std::set<std::string> paths;
    for (const auto& [path, object] : a_.objects()) paths.insert(path);
    for (const auto& [path, object] : b_.objects()) paths.insert(path);
    for (const auto& path : paths) {
      if (lines_.size() >= max_lines_) break;
      if (!is_timing(path)) compare_object(path);
    }
    return std::move(lines_);
  }

 private:
  void add(const std::string& place, const std::string& a, const std::string& b) {
    if (lines_.size() < max_lines_) lines_.push_back(format("{}: {} | {}", place, a, b));
  }
  static std::string presence(const h5::Reader& reader, const std::string& path) {
    return reader.has(path) ? "present" : "absent";
  }

  /// A group of `bytes` and `offsets`: compared as texts, not as bytes.
  bool is_texts(const std::string& path) const {
    for (const auto* reader : {&a_, &b_}) {
      if (!reader->has(path + "/bytes") || !reader->has(path + "/offsets")) return false;
    }
    return true;
  }
  bool is_part_of_texts(const std::string& path) const {
    const std::string group = path.substr(0, path.find_last_of('/'));
    return (path.ends_with("/bytes") || path.ends_with("/offsets")) && is_texts(group);
  }

  void compare_object(const std::string& path) {
    if (!a_.has(path) || !b_.has(path)) {
      add(path, presence(a_, path), presence(b_, path));
      return;
    }
    compare_attributes(path);
    const auto& x = a_.objects().at(path);
    const auto& y = b_.objects().at(path);
    if (is_part_of_texts(path)) return;
    if (print_shape(x) != print_shape(y)) {
      add(path, print_shape(x), print_shape(y));
    } else if (!x.is_group) {
      compare_values(path, x);
    } else if (is_texts(path)) {
      compare_texts(path);
    }
  }

  void compare_attributes(const std::string& path) {
    const auto x = a_.attributes(path), y = b_.attributes(path);
    std::set<std::string> names;
    for (const auto& [name, value] : x) names.insert(name);
    for (const auto& [name, value] : y) names.insert(name);
    for (const auto& name : names) {
      const auto in_x = x.find(name), in_y = y.find(name);
      const std::string left = in_x == x.end() ? "absent" : print_attribute(in_x->second);
      const std::string right = in_y == y.end() ? "absent" : print_attribute(in_y->second);
      if (left != right) add(path + "@" + name, left, right);
    }
  }

  void compare_values(const std::string& path, const h5::Object& object) {
    const Bytes x = a_.read_bytes(path), y = b_.read_bytes(path);
    if (x == y) return;
    const std::size_t size = size_of(object.type);
    std::size_t n_different = 0, first = 0;
    for (std::size_t at = 0; at < x.size(); at += size) {
      if (std::memcmp(x.data() + at, y.data() + at, size) == 0) continue;
      if (n_different++ == 0) first = at;
    }
    std::string place = format("{}[{}]", path, first / size);
    if (object.shape.size() == 2) {
      place = format("{}[{}][{}]", path, first / size / object.shape[1],
                     first / size % object.shape[1]);
    }
    if (n_different > 1) place += format(" and {} more", n_different - 1);
    add(place, print_element(object.type, x.data() + first),
        print_element(object.type, y.data() + first));
  }

  void compare_texts(const std::string& path) {
    const auto x = a_.read_strings(path), y = b_.read_strings(path);
    if (x.size() != y.size()) {
      add(path, counted(x.size(), "text"), counted(y.size(), "text"));
      return;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] == y[i]) continue;
      add(format("{}[{}]", path, i), format("'{}'", escape(x[i])), format("'{}'", escape(y[i])));
    }
  }

  const h5::Reader& a_;
  const h5::Reader& b_;
  std::size_t max_lines_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> differences(const std::string& path_a, const std::string& path_b,
                                     std::size_t max_lines) {
  const OpenFile a = open_verified(path_a), b = open_verified(path_b);
  if (a.block.kind != b.block.kind) {
    return {format("kind: {} | {}", name_of(a.block.kind), name_of(b.block.kind))};
  }
  if (a.block.format != b.block.format) {
    return {format("format: {} | {}", a.block.format, b.block.format)};
  }
  const h5::Reader reader_a(a.bytes, path_a), reader_b(b.bytes, path_b);
  return Comparison(reader_a, reader_b, max_lines).run();
}

}  // namespace orchard::store
