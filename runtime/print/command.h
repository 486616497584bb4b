// What cat() and system() do.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace awl::runtime {

// The first `limit` bytes of a file.
Result<std::string> read_file_head(const std::string &path, uint64_t limit);

struct CommandResult {
  std::string output;  // standard output
  int exit_code = 0;   // 128 + signal when it was killed
};

// Runs `sh -c command` and waits for it. The child gets default signal handlers and no blocked
// signals, whatever the tracer has; of its output what exceeds 64 MiB is dropped.
Result<CommandResult> run_command(const std::string &command);

}  // namespace awl::runtime
