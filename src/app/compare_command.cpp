// `orchard compare DIR_A DIR_B`: whether two jobs ended with the same results.

#include <cstdio>
#include <functional>

#include "commands.hpp"
#include "orchard/base/file.hpp"
#include "orchard/base/text.hpp"
#include "orchard/report/cv_table.hpp"
#include "orchard/store/compare.hpp"

namespace orchard::app {
namespace {

/// The first difference of two files as text, empty when they agree.
using Compare = std::function<std::string(const std::string&, const std::string&)>;

std::string compare_bytes(const std::string& path_a, const std::string& path_b) {
  const auto a = read_file(path_a), b = read_file(path_b);
  if (a == b) return {};
  const auto n = std::min(a.size(), b.size());
  std::size_t at = 0;
  while (at < n && a[at] == b[at]) ++at;
  return format("byte {} of {} and {} bytes", at, a.size(), b.size());
}

/// Cells of one line of a CSV file that has no line breaks inside of cells, as ours.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') is_quoted = !is_quoted;
    if (c == ',' && !is_quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

std::string compare_cv_results(const std::string& path_a, const std::string& path_b) {
  const auto a = split(read_text(path_a), '\n'), b = split(read_text(path_b), '\n');
  if (a.size() != b.size()) return format("{} and {}", a.size(), counted(b.size(), "line"));
  if (a.front() != b.front()) return "other columns";
  const auto header = cells_of(a.front());
  for (std::size_t line = 1; line < a.size(); ++line) {
    const auto cells_a = cells_of(a[line]), cells_b = cells_of(b[line]);
    if (cells_a.size() != cells_b.size()) return format("line {}: other number of cells", line + 1);
    for (std::size_t i = 0; i < cells_a.size(); ++i) {
      if (cells_a[i] == cells_b[i] || report::is_timing_column(header[i])) continue;
      return format("line {}, column {}: {} and {}", line + 1, header[i], cells_a[i], cells_b[i]);
    }
  }
  return {};
}

std::string compare_objects(const std::string& path_a, const std::string& path_b) {
  const auto lines = store::differences(path_a, path_b, 1);
  return lines.empty() ? std::string() : lines.front();
}

std::string compare_model(const std::string& path_a, const std::string& path_b) {
  const auto bytes = compare_bytes(path_a, path_b);
  if (bytes.empty()) return {};
  const auto object = compare_objects(path_a, path_b);
  return object.empty() ? bytes : object;
}

}  // namespace

int run_compare(const options::CommandLine& command_line) {
  const auto& dir_a = command_line.operands.at(0);
  const auto& dir_b = command_line.operands.at(1);
  // Settings and scores first: they explain why models differ.
  const std::pair<const char*, Compare> files[] = {{"results.h5", compare_objects},
                                                   {"cv_results.csv", compare_cv_results},
                                                   {"model.h5", compare_model},
                                                   {"predictions.csv", compare_bytes},
                                                   {"predictions.h5", compare_bytes}};
  int n_compared = 0;
  for (const auto& [name, compare] : files) {
    const auto path_a = dir_a + "/" + name, path_b = dir_b + "/" + name;
    if (exists(path_a) != exists(path_b)) {
      std::printf("%s is only in %s\n", name, (exists(path_a) ? dir_a : dir_b).c_str());
      return 1;
    }
    if (!exists(path_a)) continue;
    ++n_compared;
    const auto difference = compare(path_a, path_b);
    if (!difference.empty()) {
      std::printf("%s differs: %s\n", name, difference.c_str());
      return 1;
    }
  }
  if (n_compared == 0) {
    throw Error(ErrorKind::kData, "neither directory holds results of a job", dir_a + ", " + dir_b);
  }
  return 0;
}

}  // namespace orchard::app
