// Reading a command line, with words for what is wrong that do not need CLI11's source to be
// understood.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/common/run_options.h"

namespace awl::tools {

// Fills in what the options of `app` are bound to. A value: the process is to end with it, as after
// --version or a mistake, which has been reported.
std::optional<int> parse_options(CLI::App &app, const CommandLine &line);

// For CLI::Option::transform: the words that an option takes, each with the number it stands for.
CLI::Validator word_of(std::vector<std::pair<std::string, int>> words);
// For CLI::Option::check: the same without numbers.
CLI::Validator one_of(std::vector<std::string> words);
// For CLI::Option::check: the id of a process.
CLI::Validator process_id();

}  // namespace awl::tools
