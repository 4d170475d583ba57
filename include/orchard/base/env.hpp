#pragma once
// The only reader of environment variables.

#include <map>
#include <optional>
#include <string>

namespace orchard {

std::optional<std::string> env(const std::string& name);
void set_env(const std::string& name, const std::string& value);
/// Every variable whose name starts with `prefix`.
std::map<std::string, std::string> env_with_prefix(const std::string& prefix);

}  // namespace orchard
