#include "checkpoint_image.hpp"

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "ragged.hpp"
#include "tree_arrays.hpp"

namespace orchard::store {
namespace {

using search::RunningTask;
using search::Snapshot;
using search::TaskResult;
using Units = std::vector<model::Unit>;

/// One number of each item.
template <class T, class Items, class Get>
std::vector<T> column(const Items& items, Get get) {
  std::vector<T> values;
  values.reserve(items.size());
  for (const auto& item : items) values.push_back(get(item));
  return values;
}

template <class Items>
void write_unit_offsets(h5::Builder& builder, const std::string& path, const Items& items) {
  std::vector<std::uint64_t> offsets = {0};
  for (const auto& item : items) offsets.push_back(offsets.back() + item.units.size());
  builder.write(path, offsets);
}

void write_identity(h5::Builder& builder, const JobIdentity& identity) {
  builder.make_group("/identity");
  builder.write_strings("/identity/names",
                        column<std::string>(identity, [](const auto& i) { return i.first; }));
  builder.write_strings("/identity/values",
                        column<std::string>(identity, [](const auto& i) { return i.second; }));
}

void write_results(h5::Builder& builder, const std::vector<TaskResult>& results) {
  builder.make_group("/results");
  builder.write("/results/task",
                column<std::int32_t>(results, [](const auto& r) { return r.task; }));
  builder.write_strings("/results/failure",
                        column<std::string>(results, [](const auto& r) { return r.failure; }));
  write_ragged<double>(
      builder, "/results/scores", results, [](const auto& r) -> auto& { return r.scores; });
  write_ragged_texts(
      builder, "/results/reasons", results, [](const auto& r) -> auto& { return r.reasons; });
  write_ragged_texts(
      builder, "/results/failures", results, [](const auto& r) -> auto& { return r.failures; });
  write_ragged<std::int64_t>(
      builder, "/results/sums", results, [](const auto& r) -> auto& { return r.sums; });
  builder.write("/results/value_exponent",
                column<std::int32_t>(results, [](const auto& r) { return r.value_exponent; }));
  write_ragged<std::int64_t>(
      builder, "/results/baseline", results, [](const auto& r) -> auto& { return r.baseline; });
  write_unit_offsets(builder, "/results/unit_offsets", results);
}

void write_running(h5::Builder& builder, const Snapshot& snapshot) {
  const auto& running = snapshot.running;
  builder.make_group("/running");
  builder.write("/running/task",
                column<std::int32_t>(running, [](const auto& r) { return r.task; }));
  write_unit_offsets(builder, "/running/unit_offsets", running);
}

/// The units of all finished, then of all running tasks.
void write_units(h5::Builder& builder, const Snapshot& snapshot) {
  TreeList trees;
  std::vector<std::uint64_t> tree_offsets = {0};
  const auto add = [&](const Units& units) {
    for (const auto& unit : units) {
      for (const auto& tree : unit.packed()) trees.push_back(&tree);
      tree_offsets.push_back(trees.size());
    }
  };
  for (const auto& result : snapshot.results) add(result.units);
  for (const auto& running : snapshot.running) add(running.units);
  builder.make_group("/units");
  builder.write("/units/tree_offsets", tree_offsets);
  write_trees(builder, "/units/trees", trees);
}

/// What two runs of one job may differ in stands in this group and nowhere else.
void write_timing(h5::Builder& builder, const Snapshot& snapshot, const std::string& written_utc,
                  const std::string& host) {
  builder.make_group("/timing");
  builder.set_attribute("/timing", "written_utc", written_utc);
  builder.set_attribute("/timing", "host", host);
  builder.set_attribute("/timing", "elapsed_s", snapshot.elapsed_s);
  builder.set_attribute("/timing", "n_restarts", std::int64_t{snapshot.n_restarts});
  const auto fit_s = [](const auto& task) { return task.fit_s; };
  builder.write("/timing/result_fit_s", column<double>(snapshot.results, fit_s));
  builder.write("/timing/result_score_s",
                column<double>(snapshot.results, [](const auto& r) { return r.score_s; }));
  builder.write("/timing/running_fit_s", column<double>(snapshot.running, fit_s));
}

JobIdentity read_identity(const h5::Reader& reader) {
  const auto names = reader.read_strings("/identity/names");
  const auto values = read_texts(reader, "/identity/values", names.size());
  JobIdentity identity;
  for (std::size_t i = 0; i < names.size(); ++i) identity.emplace_back(names[i], values[i]);
  return identity;
}

std::vector<TaskResult> read_results(const h5::Reader& reader) {
  const auto tasks = reader.read<std::int32_t>("/results/task");
  const std::size_t n = tasks.size();
  std::vector<TaskResult> results(n);
  auto failures = read_texts(reader, "/results/failure", n);
  const auto exponents = reader.read<std::int32_t>("/results/value_exponent", n);
  const auto fit_s = reader.read<double>("/timing/result_fit_s", n);
  const auto score_s = reader.read<double>("/timing/result_score_s", n);
  for (std::size_t i = 0; i < n; ++i) {
    results[i].task = tasks[i];
    results[i].failure = std::move(failures[i]);
    results[i].value_exponent = exponents[i];
    results[i].fit_s = fit_s[i];
    results[i].score_s = score_s[i];
  }
  read_ragged<double>(reader, "/results/scores", n,
                      [&](std::size_t i, auto values) { results[i].scores = std::move(values); });
  read_ragged_texts(reader, "/results/reasons", n,
                    [&](std::size_t i, auto texts) { results[i].reasons = std::move(texts); });
  read_ragged_texts(reader, "/results/failures", n,
                    [&](std::size_t i, auto texts) { results[i].failures = std::move(texts); });
  read_ragged<std::int64_t>(reader, "/results/sums", n, [&](std::size_t i, auto values) {
    results[i].sums = std::move(values);
  });
  read_ragged<std::int64_t>(reader, "/results/baseline", n, [&](std::size_t i, auto values) {
    results[i].baseline = std::move(values);
  });
  return results;
}

std::vector<RunningTask> read_running(const h5::Reader& reader) {
  const auto tasks = reader.read<std::int32_t>("/running/task");
  const auto fit_s = reader.read<double>("/timing/running_fit_s", tasks.size());
  std::vector<RunningTask> running(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    running[i].task = tasks[i];
    running[i].fit_s = fit_s[i];
  }
  return running;
}

Units read_units(const h5::Reader& reader) {
  auto trees = read_trees(reader, "/units/trees");
  const auto tree_offsets = reader.read<std::uint64_t>("/units/tree_offsets");
  const auto n_units = h5::check_offsets(reader, "/units/tree_offsets", tree_offsets, trees.size());
  Units units;
  for (std::size_t i = 0; i < n_units; ++i) {
    const auto begin = trees.begin() + static_cast<std::ptrdiff_t>(tree_offsets[i]);
    const auto end = trees.begin() + static_cast<std::ptrdiff_t>(tree_offsets[i + 1]);
    units.emplace_back(
        std::vector<model::Tree>(std::make_move_iterator(begin), std::make_move_iterator(end)));
  }
  return units;
}

/// Gives each item its units, which lie in `units` from `first` on; returns where they end.
template <class Items>
std::size_t hand_out_units(const h5::Reader& reader, const std::string& path, Items& items,
                           Units& units, std::size_t first) {
  const auto offsets = reader.read<std::uint64_t>(path, items.size() + 1);
  h5::check_offsets(reader, path, offsets, offsets.back());
  if (offsets.back() > units.size() - first) reader.fail(path, "names units that do not exist");
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (auto unit = offsets[i]; unit < offsets[i + 1]; ++unit) {
      items[i].units.push_back(std::move(units[first + unit]));
    }
  }
  return first + offsets.back();
}

}  // namespace

void write_checkpoint(h5::Builder& builder, const Snapshot& snapshot, const JobIdentity& identity,
                      const std::string& written_utc, const std::string& host) {
  builder.set_attribute("/", "program", "orchard");
  builder.set_attribute("/", "program_version", ORCHARD_VERSION);
  write_identity(builder, identity);
  write_results(builder, snapshot.results);
  builder.set_attribute("/results", "n_cut_fits", std::int64_t{snapshot.cutting.n_fits});
  builder.set_attribute("/results", "block_trees", std::int64_t{snapshot.cutting.block_trees});
  write_running(builder, snapshot);
  write_units(builder, snapshot);
  write_timing(builder, snapshot, written_utc, host);
}

CheckpointContent read_checkpoint(ByteSpan file, const std::string& name) {
  const h5::UserBlock block = h5::check_file(file, name);
  if (block.kind != h5::FileKind::kCheckpoint) {
    throw Error(ErrorKind::kData, format("is a {}, expected a checkpoint", name_of(block.kind)),
                name);
  }
  if (block.format > kCheckpointFormat) {
    throw Error(ErrorKind::kResume,
                format("has checkpoint format {}, this program (version {}) knows up to {}",
                       block.format, ORCHARD_VERSION, kCheckpointFormat),
                name, "Continue with the newer version that wrote it.");
  }
  if (block.format < kCheckpointFormat) {
    throw Error(ErrorKind::kResume,
                format("has checkpoint format {}, this program (version {}) continues from {}",
                       block.format, ORCHARD_VERSION, kCheckpointFormat),
                name,
                "Continue with the older version that wrote it, or start anew with "
                "resume_from_checkpoint = none.");
  }
  const h5::Reader reader(file, name);
  CheckpointContent content;
  content.format = block.format;
  content.sequence = block.sequence;
  content.identity = read_identity(reader);
  content.program_version = reader.text_attribute("/", "program_version");
  content.written_utc = reader.text_attribute("/timing", "written_utc");
  content.host = reader.text_attribute("/timing", "host");
  Snapshot& snapshot = content.snapshot;
  snapshot.elapsed_s = reader.double_attribute("/timing", "elapsed_s");
  snapshot.n_restarts = read_int32(reader, "/timing", "n_restarts");
  snapshot.cutting.n_fits = read_int32(reader, "/results", "n_cut_fits");
  snapshot.cutting.block_trees = read_int32(reader, "/results", "block_trees");
  snapshot.results = read_results(reader);
  snapshot.running = read_running(reader);
  Units units = read_units(reader);
  const auto at = hand_out_units(reader, "/results/unit_offsets", snapshot.results, units, 0);
  const auto end = hand_out_units(reader, "/running/unit_offsets", snapshot.running, units, at);
  if (end != units.size()) reader.fail("/units", "holds units that belong to no task");
  return content;
}

}  // namespace orchard::store
