#include "tools/common/standard_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "tools/common/run_options.h"

namespace awl::tools {

void open_standard_files() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest number that is free is this one.
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
  }
}

int close_standard_output(int code) {
  const bool had_failed = ferror(stdout) != 0;
  const bool is_written = fflush(stdout) == 0 && !had_failed;
  if (is_written || code != 0) return code;
  // Of an earlier failure the reason is gone.
  return fail(std::string("cannot write standard output") +
              (had_failed ? "" : std::string(": ") + strerror(errno)));
}

}  // namespace awl::tools
