// Runs another program to the end: a C compiler, say.
//
// It gets its input and leaves its output in memory (memfd), so that there is no file to clean up
// whichever way this ends, and its messages are kept apart. One that takes too long is killed, and
// so is one that runs when INT, TERM, HUP or QUIT arrive, which then do what they would have done.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

struct HelperOutcome {
  int exit_code = 0;  // 128 and the signal's number when a signal ended it
  std::string output;
  std::string messages;  // what it wrote to its standard error
};

// `arguments[0]` is the path of the program; the environment is ours. Errors: it cannot be started;
// it ran for longer than `limit_s` seconds, or was
// interrupted; its output is larger than `kMaxHelperOutput`.
inline constexpr size_t kMaxHelperOutput = 256u << 20;  // bytes
Result<HelperOutcome> run_helper(const std::vector<std::string> &arguments, std::string_view input,
                                 int limit_s);

}  // namespace awl
