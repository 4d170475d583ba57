#include "orchard/base/env.hpp"

#include <unistd.h>

#include <cstdlib>

extern char** environ;

namespace orchard {

std::optional<std::string> env(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

void set_env(const std::string& name, const std::string& value) {
  ::setenv(name.c_str(), value.c_str(), 1);
}

std::map<std::string, std::string> env_with_prefix(const std::string& prefix) {
  std::map<std::string, std::string> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos && text.compare(0, prefix.size(), prefix) == 0) {
      found[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  return found;
}

}  // namespace orchard
