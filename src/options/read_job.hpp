#pragma once
// The steps from a document to a job. Each reports all it finds and goes on.

#include "document.hpp"
#include "settled.hpp"

namespace orchard::options {

/// [job] ... [output].
void read_plain_sections(const Document& document, Settled& settled, Job& job, Problems& problems);
/// [grid.*] with `like` and [estimator]. Appends to `resolved`.
void read_grids(const Document& document, Job& job, std::vector<Job::Resolved>& resolved,
                Problems& problems);
/// [model.*]. Appends to `resolved`.
void read_models(const Document& document, Job& job, std::vector<Job::Resolved>& resolved,
                 Problems& problems);
/// Defaults that depend on other options, and everything that only shows between options.
void finish_job(const Document& document, Settled& settled, Job& job, Problems& problems);
/// What `command` cannot do without.
void check_required(Command command, const Document& document, const Job& job, Problems& problems);

inline constexpr std::uint64_t kMaxGridPoints = 1'000'000;
/// Product of the axes' lengths; nothing when it is above kMaxGridPoints.
std::optional<std::uint64_t> count_points(const SubGrid& grid);

}  // namespace orchard::options
