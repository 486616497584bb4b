// The subcommands of `awl`: each takes the command line without the subcommand's name and gives
// the exit code.
#pragma once

#include <optional>
#include <string>

#include "tools/common/run_options.h"

namespace awl::tools {

int command_run(const CommandLine &line);    // awl [run] FILE | -e PROGRAM; also -l and --info
int command_build(const CommandLine &line);  // awl build FILE | -e PROGRAM -o OBJECT
int command_list(const CommandLine &line);   // awl list [-v] [PATTERN]
int command_snapshot(const CommandLine &line);  // awl snapshot [--request FILE] FOLDER

// awl --info: what the kernel and this build can do, on stdout.
int print_info();

// awl -l: probes that match a pattern (empty: all), with arguments when `verbose`. Of `run` count -p,
// whose binaries are meant, and --traceable-functions.
int list_probes(const std::string &pattern, bool verbose, const std::string &snapshot,
                const runtime::RunOptions &run);

}  // namespace awl::tools
