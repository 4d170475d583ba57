#pragma once
// Strict parsing, shortest printing, and the suggestions of error messages. Nothing here looks at
// the locale.

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orchard {

using fmt::format;

std::string_view trim(std::string_view text);
/// Splits at every `separator`; n separators give n + 1 parts, none of them trimmed.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string to_lower(std::string_view text);

/// The whole text as a decimal integer, or nothing: no blanks, no "1e3", no hexadecimal.
std::optional<std::int64_t> parse_int(std::string_view text);
/// The whole text as a finite number, or nothing: "nan", "inf" and overflow are refused, a leading
/// '+' is allowed, underflow gives the nearest value.
std::optional<double> parse_double(std::string_view text);
/// The shortest decimal that reads back as the same double; "nan", "inf", "-inf" otherwise.
std::string print_double(double value);

/// Printable form of bytes from outside: control and non-ASCII-invalid bytes as \xNN, cut after
/// `max_length` characters with "...".
std::string escape(std::string_view text, std::size_t max_length = 80);

/// Damerau-Levenshtein distance (adjacent transpositions count one).
std::size_t edit_distance(std::string_view a, std::string_view b);
/// Up to three of `known` within distance max(1, length/4 rounded up), nearest first; equal
/// distance keeps the order of `known`.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> known);
/// "Did you mean 'x'?" or "" when nothing is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

/// One CSV field (RFC 4180): quoted only where it must be.
std::string csv_field(std::string_view text);

/// "1 rank", "2 ranks": a number of things whose name takes an s.
template <class Number>
std::string counted(Number n, std::string_view thing) {
  return format("{} {}{}", n, thing, n == 1 ? "" : "s");
}
/// "1.5 MB", "312 B": decimal units.
std::string print_bytes(std::uint64_t n_bytes);
/// "0.8 s", "3 min 20 s", "2 h 05 min".
std::string print_duration(double seconds);

}  // namespace orchard
