// Starts another program.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace awl {

struct SpawnOptions {
  // Descriptors that become the program's own; negative: ours stay.
  int input = -1, output = -1, messages = -1;
  // It leads a group of processes, so that what it starts can be ended with it.
  bool has_group = false;
};

// `words[0]` is the path of the program; the environment is ours, no signal is blocked or ignored.
// Errors: it cannot be started.
Result<pid_t> spawn(const std::vector<std::string> &words, const SpawnOptions &options);

// How a process ended, as waitpid() says it, in a shell's words: 128 and the signal's number where
// one has ended it.
int exit_code_of(int wait_status);

}  // namespace awl
