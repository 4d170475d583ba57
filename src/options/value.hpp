#pragma once
// The right side of '=': typed values, lists, and the series range, lin, log and log2.

#include "table.hpp"

namespace orchard::options {

inline constexpr const char* kMaxSamplesNeedsBootstrap =
    "max_samples needs bootstrap = true; without bootstrap every tree sees all rows.";

/// One item of a list as written, and whether quotes stood around it.
struct Item {
  std::string text;
  bool is_quoted = false;
};

/// What was read of one option. `problems` and `notes` are sentences without a place.
struct Reading {
  Values values;
  std::vector<std::string> problems;
  std::vector<std::string> notes;
};

/// Reads the value of an option; a list (or a single value) as the row says.
Reading read_option(const OptionRow& row, const std::string& text);
/// Reads the values of a learner parameter in a sub-grid: any list, with series. Duplicates are
/// removed with a note.
Reading read_axis(const OptionRow& row, const std::string& text);

/// Splits at commas that no quotes and no parentheses protect, and takes quotes off. Throws kUsage
/// for open quotes, open parentheses and empty items.
std::vector<Item> split_items(const std::string& text);
/// The type that a word or number has by its look: none, true, false, integer, real, else text.
ParamValue guess(const Item& item);
/// Points of `name(arguments)`, or nothing when `item` is no such form. Throws kUsage.
std::optional<Values> read_series(const Item& item);

/// `value` as the option keeps it (a whole number becomes a real where only reals fit), or nothing.
std::optional<ParamValue> fit(const Accepts& accepts, const ParamValue& value);
/// "an integer >= 1, a fraction in (0, 1], sqrt or none".
std::string describe(const Accepts& accepts);
/// "max_depth = 0: expected an integer >= 1 or none."
std::string misfit(const OptionRow& row, const std::string& written);

/// A text as it is written in a job file, in quotes where it must be.
std::string print_text(const std::string& text);
/// Values of an option as they are written in a job file.
std::string print_values(const Values& values);

}  // namespace orchard::options
