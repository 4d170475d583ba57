#include "boost_parser.hpp"

#include <boost/program_options.hpp>
#include <sstream>

#include "orchard/base/error.hpp"

namespace orchard::options {
namespace {

namespace po = boost::program_options;

void add_keys(std::span<const std::string> keys, po::options_description& description) {
  for (const auto& key : keys) description.add_options()(key.c_str(), po::value<std::string>());
}

void hand_over(const po::parsed_options& parsed, const OnParsedOption& on_option) {
  for (const auto& option : parsed.options) {
    const bool is_operand = option.position_key >= 0;
    const std::string value = option.value.empty() ? std::string() : option.value.front();
    on_option({is_operand ? std::string() : option.string_key, value, option.unregistered});
  }
}

}  // namespace

void parse_ini_with_boost(std::span<const std::string> keys, const std::string& text,
                          const OnParsedOption& on_option) {
  po::options_description description;
  add_keys(keys, description);
  std::istringstream stream(text);
  try {
    hand_over(po::parse_config_file(stream, description, /*allow_unregistered=*/true), on_option);
  } catch (const po::error& error) {
    throw Error(ErrorKind::kInternal, error.what());
  }
}

void parse_arguments_with_boost(std::span<const std::string> keys,
                                std::span<const std::string> flags,
                                std::span<const std::string> arguments,
                                const OnParsedOption& on_option) {
  po::options_description description;
  add_keys(keys, description);
  for (const auto& flag : flags) description.add_options()(flag.c_str(), "");
  const std::vector<std::string> tokens(arguments.begin(), arguments.end());
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    hand_over(po::command_line_parser(tokens).options(description).style(style).run(), on_option);
  } catch (const po::error& error) {
    throw Error(ErrorKind::kInternal, error.what());
  }
}

}  // namespace orchard::options
