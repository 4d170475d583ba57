#pragma once

#include <functional>
#include <string>

namespace orchard::comm {

/// Calls `is_done` until it returns true: a spin of some 200 us that gives way to other processes,
/// for the ranks of a group that exchange something many times a tree; then sleeps that grow with
/// the wait up to 1 ms, so that a rank that waits for long costs next to no processor time. Throws
/// kInternal with `describe()` after `deadline_s`; time in which this process was suspended hardly
/// counts.
void wait_until(const std::function<bool()>& is_done, double deadline_s,
                const std::function<std::string()>& describe);

}  // namespace orchard::comm
