#include "orchard/search/snapshot.hpp"

namespace orchard::search {
namespace {

void put_units(ByteWriter& out, const std::vector<model::Unit>& units) {
  std::size_t n_bytes = 0;
  for (const auto& unit : units) {
    for (const auto& tree : unit.packed()) n_bytes += tree.n_message_bytes();
  }
  out.reserve(n_bytes + units.size() * sizeof(std::uint64_t) + 1024);
  out.put<std::uint64_t>(units.size());
  for (const auto& unit : units) {
    out.put<std::uint64_t>(unit.size());
    for (const auto& tree : unit.packed()) tree.put(out);
  }
}

// Counts come from a message, so lists grow as their parts are read: a wrong count runs into the
// end of the message, not out of memory.
std::vector<model::Unit> get_units(ByteReader& in) {
  std::vector<model::Unit> units;
  const auto n_units = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < n_units; ++i) {
    const auto n_trees = in.get<std::uint64_t>();
    std::vector<model::PackedTree> trees;
    for (std::uint64_t j = 0; j < n_trees; ++j) trees.push_back(model::PackedTree::get(in));
    units.push_back(model::Unit::of_packed(std::move(trees)));
  }
  return units;
}

void require_end(const ByteReader& in) {
  require(in.is_at_end(), "a message ends where its reader does");
}

}  // namespace

Bytes units_to_bytes(const std::vector<model::Unit>& units) {
  ByteWriter out;
  put_units(out, units);
  return out.take();
}

std::vector<model::Unit> units_from_bytes(ByteSpan bytes) {
  ByteReader in(bytes);
  auto units = get_units(in);
  require_end(in);
  return units;
}

Bytes TaskResult::to_bytes() const {
  ByteWriter out;
  out.put(task);
  out.put(failure);
  out.put(scores);
  out.put(reasons);
  out.put(failures);
  out.put(sums);
  put_units(out, units);
  out.put(value_exponent);
  out.put(baseline);
  out.put(fit_s);
  out.put(score_s);
  return out.take();
}

TaskResult TaskResult::from_bytes(ByteSpan bytes) {
  ByteReader in(bytes);
  TaskResult result;
  result.task = in.get<std::int32_t>();
  result.failure = in.get_string();
  result.scores = in.get_vector<double>();
  result.reasons = in.get_strings();
  result.failures = in.get_strings();
  result.sums = in.get_vector<std::int64_t>();
  result.units = get_units(in);
  result.value_exponent = in.get<std::int32_t>();
  result.baseline = in.get_vector<std::int64_t>();
  result.fit_s = in.get<double>();
  result.score_s = in.get<double>();
  require_end(in);
  return result;
}

Bytes RunningTask::to_bytes() const {
  ByteWriter out;
  out.put(task);
  out.put(fit_s);
  put_units(out, units);
  return out.take();
}

RunningTask RunningTask::from_bytes(ByteSpan bytes) {
  ByteReader in(bytes);
  RunningTask running;
  running.task = in.get<std::int32_t>();
  running.fit_s = in.get<double>();
  running.units = get_units(in);
  require_end(in);
  return running;
}

}  // namespace orchard::search
