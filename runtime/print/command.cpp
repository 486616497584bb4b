#include "runtime/print/command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/spawn.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxOutput = 64u << 20;

// Appends what can be read from `fd` until its end, up to `limit` bytes in all; the rest is read
// and dropped when `drains`.
Status read_all(int fd, uint64_t limit, bool drains, std::string &out) {
  char chunk[16384];
  while (drains || out.size() < limit) {
    ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::from_errno("read");
    if (got == 0) break;
    out.append(chunk, std::min<uint64_t>(static_cast<uint64_t>(got),
                                         limit - std::min<uint64_t>(limit, out.size())));
  }
  return ok();
}

}  // namespace

Result<std::string> read_file_head(const std::string &path, uint64_t limit) {
  Result<FileDescriptor> file = open_file(path);
  if (!file) return file.error();
  std::string out;
  limit = std::min<uint64_t>(limit, kMaxOutput);
  if (Status status = read_all(file->get(), limit, /*drains=*/false, out); !status) {
    return status.error();
  }
  return out;
}

Result<CommandResult> run_command(const std::string &command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno("pipe");
  FileDescriptor input(ends[0]), output(ends[1]);
  Result<pid_t> pid = spawn({"/bin/sh", "-c", command}, {.output = output.get()});
  if (!pid) return pid.error();
  output.reset();
  CommandResult result;
  Status status = read_all(input.get(), kMaxOutput, /*drains=*/true, result.output);
  int state = 0;
  while (waitpid(*pid, &state, 0) < 0) {
    if (errno != EINTR) return Error::from_errno("wait for command");
  }
  if (!status) return status.error();
  result.exit_code = exit_code_of(state);
  return result;
}

}  // namespace awl::runtime
