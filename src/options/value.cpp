#include "value.hpp"

#include <algorithm>

#include "orchard/base/text.hpp"

namespace orchard::options {
namespace {

bool is_quote(char c) { return c == '"' || c == '\''; }

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::kUsage, std::move(message)); }

Item unquote(std::string_view written) {
  const auto text = trim(written);
  if (text.empty() || !is_quote(text.front())) return {std::string(text), false};
  const auto close = text.find(text.front(), 1);
  if (close == std::string_view::npos) {
    fail(
        format("the quote in '{}' is not closed; a '#' after a blank begins a comment, inside "
               "quotes too.",
               escape(text)));
  }
  if (close + 1 != text.size()) {
    fail(format("'{}' goes on after its closing quote.", escape(text)));
  }
  return {std::string(text.substr(1, close - 1)), true};
}

bool is_valid_name(const std::string& text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return is_plain && !text.empty() && text.size() <= 200 && text[0] != '.' && text[0] != '-';
}

ParamValue read_text(const OptionRow& row, const Item& item) {
  const auto& words = row.accepts.words;
  if (!item.is_quoted && std::find(words.begin(), words.end(), item.text) != words.end()) {
    return item.text == "none" ? ParamValue() : ParamValue(item.text);
  }
  if (item.text.empty()) fail(format("{} is empty.", row.name));
  if (row.accepts.text == TextKind::kName && !is_valid_name(item.text)) {
    fail(misfit(row, item.text));
  }
  const bool looks_expandable =
      item.text.front() == '~' || item.text.find('$') != std::string::npos;
  if (row.accepts.text == TextKind::kPath && !item.is_quoted && looks_expandable) {
    fail(
        format("{} = {}: '~' and '$' are not expanded. Write the path in full, or put it in "
               "quotes when it is meant as it stands.",
               row.name, escape(item.text)));
  }
  return item.text;
}

ParamValue read_item(const OptionRow& row, const Item& item) {
  if (row.accepts.text != TextKind::kNone) return read_text(row, item);
  const auto value = fit(row.accepts, guess(item));
  if (!value) fail(misfit(row, item.text));
  return *value;
}

void add(const OptionRow& row, ParamValue value, Reading& reading) {
  if (std::find(reading.values.begin(), reading.values.end(), value) != reading.values.end()) {
    reading.notes.push_back(format("{}: the value {} stands twice; the second is left out.",
                                   row.name, print_value(value)));
    return;
  }
  reading.values.push_back(std::move(value));
}

/// Reads every item of a list and collects what is wrong with each.
template <class ReadItem>
Reading read_list(const std::string& text, const ReadItem& read_one) {
  Reading reading;
  try {
    for (const auto& item : split_items(text)) {
      try {
        read_one(item, reading);
      } catch (const Error& error) {
        reading.problems.push_back(error.message());
      }
    }
  } catch (const Error& error) {
    reading.problems.push_back(error.message());
  }
  return reading;
}

}  // namespace

std::vector<Item> split_items(const std::string& written) {
  const std::string_view text = written;
  std::vector<Item> items;
  std::size_t begin = 0;
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    const bool is_at_start = trim(text.substr(begin, i - begin)).empty();
    if (i == text.size() && depth > 0) fail(format("'{}' lacks a ')'.", escape(text)));
    if (quote != 0 && i < text.size()) {
      if (c == quote) quote = 0;
    } else if (is_quote(c) && is_at_start) {
      quote = c;  // only a quote that begins an item protects it: "driver's" is a plain word
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      if (--depth < 0) fail(format("'{}' has a ')' without '('.", escape(text)));
    } else if (c == ',' && depth == 0) {
      if (is_at_start) fail(format("'{}' has an empty item.", escape(text)));
      items.push_back(unquote(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  return items;
}

ParamValue guess(const Item& item) {
  if (item.is_quoted) return item.text;
  if (item.text == "none") return std::monostate();
  if (item.text == "true" || item.text == "false") return item.text == "true";
  if (const auto integer = parse_int(item.text)) return *integer;
  if (const auto real = parse_double(item.text)) return *real + 0.0;  // no negative zero
  return item.text;
}

Reading read_option(const OptionRow& row, const std::string& text) {
  if (row.accepts.is_list) {
    auto reading = read_list(
        text, [&](const Item& item, Reading& into) { add(row, read_item(row, item), into); });
    const bool has_none = std::find(reading.values.begin(), reading.values.end(), ParamValue()) !=
                          reading.values.end();
    if (has_none && reading.values.size() > 1) {
      reading.problems.push_back(format("{}: 'none' stands alone or not at all.", row.name));
    }
    return reading;
  }
  Reading reading;
  try {
    const auto item = unquote(text);
    const bool is_text = row.accepts.text != TextKind::kNone;
    if (!is_text && !item.is_quoted && text.find(',') != std::string::npos) {
      fail(format("{} = {}: takes one value, no list; expected {}.", row.name, escape(text),
                  describe(row.accepts)));
    }
    reading.values.push_back(read_item(row, item));
  } catch (const Error& error) {
    reading.problems.push_back(error.message());
  }
  return reading;
}

Reading read_axis(const OptionRow& row, const std::string& text) {
  return read_list(text, [&](const Item& item, Reading& into) {
    const auto series = read_series(item);
    if (!series) {
      add(row, read_item(row, item), into);
      return;
    }
    for (const auto& point : *series) {
      const auto value = fit(row.accepts, point);
      if (!value) {
        fail(format("{}: {}", escape(item.text), misfit(row, print_value(point))));
      }
      add(row, *value, into);
    }
  });
}

std::string print_text(const std::string& text) {
  const bool is_plain = !text.empty() && trim(text) == text &&
                        text.find_first_of(",\"'();#") == std::string::npos &&
                        std::holds_alternative<std::string>(guess({text, false}));
  if (is_plain) return text;
  const char quote = text.find('"') == std::string::npos ? '"' : '\'';
  return quote + text + quote;
}

std::string print_values(const Values& values) {
  std::vector<std::string> parts;
  for (const auto& value : values) parts.push_back(print_value(value));
  return join(parts, ", ");
}

}  // namespace orchard::options
