// The options of running an object, the same for `awl` and `awl-run`.
//
// Names and meanings are bpftrace's (its man page, bpftrace(8)), so that habits and wrapper scripts
// keep working.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "runtime/tracer.h"

namespace awl::tools {

// The command line cut at the first `--`: CLI11 sees what is before it, the script what is after.
struct CommandLine {
  std::vector<std::string> options;     // without the program's name
  std::vector<std::string> parameters;  // after `--`
  bool has_separator = false;
};
CommandLine split_command_line(int argc, char **argv);

// What the user typed, before it is turned into RunOptions.
struct RunArguments {
  runtime::RunOptions run;
  std::vector<std::string> positionals;  // file, then positional parameters of the script
  std::vector<std::string> debug_stages;
  bool wants(const std::string &stage) const;  // -d STAGE or -d all
};

// Declares the options on `app`, which fill in `arguments` when it parses. `stages`: what -d can
// show.
void add_run_options(CLI::App &app, RunArguments &arguments,
                     const std::vector<std::string> &stages);

// --test and --bench, which the compiler wants too.
void add_mode_options(CLI::App &app, RunArguments &arguments);

// Sorts parameters after `--` into positional ones and `--name[=value]` and adds them to `run`.
// Positional parameters given before `--` come first.
void add_script_parameters(const std::vector<std::string> &before,
                           const std::vector<std::string> &after, runtime::RunOptions &run);

// Whether messages on stderr are coloured: AWL_COLOR or BPFTRACE_COLOR (auto, always, never).
bool wants_color();

// The value of AWL_<name>, else of BPFTRACE_<name>; null when neither is set.
const char *environment(const std::string &name);

// Prints "ERROR: <message>" on stderr and gives the exit code 1.
int fail(const std::string &message);
void warn(const std::string &message);

inline constexpr const char *kVersion = AWL_VERSION;

}  // namespace awl::tools
