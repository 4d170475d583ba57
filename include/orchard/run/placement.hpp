#pragma once
// Which cores a rank keeps to on a node of several NUMA domains (sockets, or parts of them, with
// memory of their own): memory belongs to the domain of the thread that first touches it.

#include <optional>
#include <string>
#include <vector>

#include "orchard/run/threads.hpp"

namespace orchard::run {

/// The cores of each NUMA domain of this node, as the kernel lists them below `directory`; domains
/// without cores are left out. Empty where it lists none. Local.
std::vector<std::vector<int>> numa_domains(
    const std::string& directory = "/sys/devices/system/node");

/// The cores of the domain that a rank should keep to: ranks go to the domains in their order, as
/// many to each, give or take one. Nothing where the launcher has placed the ranks (their masks
/// differ), where ranks are fewer than domains, or where the threads of a domain's ranks would be
/// more than its cores. The same decision on all ranks of a node whose threads are as many.
std::optional<std::vector<int>> choose_domain(const CoresOfNode& node,
                                              const std::vector<std::vector<int>>& domains,
                                              int n_threads);

}  // namespace orchard::run
