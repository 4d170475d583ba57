#include "ini_lines.hpp"

#include <algorithm>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"

namespace orchard::options {
namespace {

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::kUsage, std::move(message)); }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// The line without its comment.
std::string_view cut_comment(std::string_view line) {
  const auto hash = line.find('#');
  if (hash == std::string_view::npos) return line;
  if (hash == 0 || is_blank(line[hash - 1])) return line.substr(0, hash);
  const auto equals = line.find('=');
  const bool is_in_value = equals != std::string_view::npos && equals < hash;
  const auto begin = is_in_value ? equals + 1 : 0;
  fail(
      format("'#' begins a comment; a value cannot hold it (read '{}', rest '{}'). Put a blank "
             "before a comment, or rename the file or column.",
             escape(trim(line.substr(begin, hash - begin))), escape(line.substr(hash))));
}

void refuse_semicolon(std::string_view value) {
  if (!value.empty() && (value.front() == '"' || value.front() == '\'')) return;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == ';' && is_blank(value[i - 1])) {
      fail(format("'{}': a comment begins with '#', not with ';'.", escape(value.substr(i))));
    }
  }
}

void read_section_name(std::string_view text, IniLine& line) {
  line.is_section = true;
  if (text.back() != ']') {
    fail(format("'{}' is not closed; a section is written [name].", escape(text)));
  }
  line.section = std::string(text.substr(1, text.size() - 2));
}

void read_key_and_value(std::string_view text, bool is_continued, IniLine& line) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) {
    fail(format("no '=' in '{}'; expected key = value.{}", escape(text),
                is_continued ? " A list stands on one line." : ""));
  }
  line.key = std::string(trim(text.substr(0, equals)));
  line.value = std::string(trim(text.substr(equals + 1)));
  if (line.key.empty()) fail(format("no key before '=' in '{}'.", escape(text)));
  if (line.value.empty()) {
    fail(format("'{}' has no value; remove the line to get the default.", escape(line.key)));
  }
  refuse_semicolon(line.value);
}

void read_line(std::string_view raw, bool is_continued, IniLine& line) {
  if (const auto bad = find_bad_bytes(std::string(raw))) fail(*bad);
  // Known even when the rest of the line is refused, so that it is not called missing.
  if (const auto equals = raw.find('='); equals != std::string_view::npos) {
    line.key = std::string(trim(raw.substr(0, equals)));
  }
  const auto text = trim(cut_comment(raw));
  line.key.clear();
  if (text.empty()) return;
  if (text.front() == ';') fail("a comment begins with '#', not with ';'.");
  if (text.front() == '[') {
    read_section_name(text, line);
  } else {
    read_key_and_value(text, is_continued, line);
  }
}

/// Takes off a byte order mark; refuses two-byte text.
std::string_view check_encoding(const std::string& text) {
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) return rest.substr(3);
  if (rest.starts_with("\xff\xfe") || rest.starts_with("\xfe\xff")) {
    fail("the file is UTF-16; save it as UTF-8.");
  }
  if (rest.starts_with("\x89HDF")) {
    fail("this is an HDF5 file, not a job file.");
  }
  constexpr std::size_t kMaxBytes = 4'000'000;
  constexpr std::ptrdiff_t kMaxLines = 20'000;
  if (rest.size() > kMaxBytes || std::count(rest.begin(), rest.end(), '\n') > kMaxLines) {
    fail(format("this is no job file: {}, where at most {} and {} lines are read.",
                print_bytes(rest.size()), print_bytes(kMaxBytes), kMaxLines));
  }
  return rest;
}

}  // namespace

std::optional<std::string> find_bad_bytes(const std::string& value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return "a NUL byte in this line; is this a text file?";
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      return format("a control character (\\x{:02x}) in '{}'.", byte, escape(value));
    }
  }
  return std::nullopt;
}

std::vector<IniLine> read_ini_lines(const std::string& path, const std::string& text,
                                    Problems& problems) {
  std::vector<IniLine> lines;
  std::string_view rest;
  try {
    rest = check_encoding(text);
  } catch (const Error& error) {
    problems.add({path, kWholeFile}, error.message());
    return lines;
  }
  bool is_continued = false;
  int number = 0;
  for (const auto& full : split(rest, '\n')) {
    std::string_view raw = full;
    if (raw.ends_with('\r')) raw.remove_suffix(1);
    IniLine line{.number = ++number};
    try {
      read_line(raw, is_continued, line);
    } catch (const Error& error) {
      problems.add({format("{}:{}", path, number), number}, error.message());
      line.is_usable = false;
    }
    is_continued = trim(raw).ends_with(',');
    const bool is_said = line.is_section || !line.key.empty() || !line.is_usable;
    if (is_said) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace orchard::options
