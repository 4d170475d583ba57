#pragma once
// Boost.ProgramOptions behind a wall. Its library holds std::vector in its interface, which the
// checked containers of a debug build (_GLIBCXX_DEBUG) make another type: boost_parser.cpp is
// compiled without them, and nothing but std::string may pass through this header. Values stay
// text: Boost would wrap negative counts and pass nan, so types and ranges are checked elsewhere.

#include <functional>
#include <span>
#include <string>

namespace orchard::options {

struct ParsedOption {
  std::string key;  ///< empty: an operand of the command line
  std::string value;
  bool is_unregistered = false;
};
using OnParsedOption = std::function<void(const ParsedOption&)>;

/// Parses INI text and hands over its lines in order. A key that ends with '*' registers all that
/// begin like it; options that no key registers are handed over, too.
void parse_ini_with_boost(std::span<const std::string> keys, const std::string& text,
                          const OnParsedOption& on_option);

/// Parses arguments without guessing from prefixes. `keys` take a value, `flags` ("help,h") none.
/// Throws kInternal for an option that is neither.
void parse_arguments_with_boost(std::span<const std::string> keys,
                                std::span<const std::string> flags,
                                std::span<const std::string> arguments,
                                const OnParsedOption& on_option);

}  // namespace orchard::options
