#include "base/helper_program.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iterator>
#include <thread>

#include "base/deferred_signals.h"
#include "base/file.h"
#include "base/spawn.h"

namespace awl {
namespace {

Result<FileDescriptor> memory_file(const char *name, std::string_view text) {
  FileDescriptor file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) return Error::from_errno("cannot make a file in memory");
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Error::from_errno("cannot write to a file in memory");
    text.remove_prefix(static_cast<size_t>(written));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

Result<std::string> content(const FileDescriptor &file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return Error::from_errno("cannot read a file in memory");
  const auto size = static_cast<size_t>(status.st_size);
  if (size > kMaxHelperOutput) return Error{"its output is too large", EFBIG};
  std::string text(size, '\0');
  if (!read_at(file.get(), 0, text.data(), size)) return Error{"its output cannot be read", EIO};
  return text;
}

// Its status as of waitpid(). Errors: it had to be killed.
Result<int> wait_for(pid_t pid, int limit_s, const DeferredSignals &signals) {
  // Kernels since 5.3 say by a descriptor when a process ends.
  FileDescriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(limit_s);
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) return Error::from_errno("cannot wait for a program");
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || signals.is_waiting()) break;
    pollfd waits[] = {{end.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    if (end) {
      ::poll(waits, std::size(waits), static_cast<int>(left.count()));
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  if (signals.is_waiting()) return Error{"it was interrupted", EINTR};
  return Error{"it ran for more than " + std::to_string(limit_s) + " seconds", ETIMEDOUT};
}

}  // namespace

Result<HelperOutcome> run_helper(const std::vector<std::string> &arguments, std::string_view input,
                                 int limit_s) {
  const Result<FileDescriptor> in = memory_file("input", input);
  if (!in) return in.error();
  const Result<FileDescriptor> out = memory_file("output", "");
  if (!out) return out.error();
  const Result<FileDescriptor> messages = memory_file("messages", "");
  if (!messages) return messages.error();
  // Whoever ends us by the keyboard ends it, too, although it is in a group of its own.
  const DeferredSignals signals;
  if (signals.is_waiting()) return Error{arguments[0] + ": it was interrupted", EINTR};
  const Result<pid_t> pid = spawn(
      arguments,
      {.input = in->get(), .output = out->get(), .messages = messages->get(), .has_group = true});
  if (!pid) return pid.error();
  const Result<int> status = wait_for(*pid, limit_s, signals);
  if (!status) return status.error().with_context(arguments[0]);
  HelperOutcome outcome;
  outcome.exit_code = exit_code_of(*status);
  Result<std::string> text = content(*out);
  if (!text) return text.error().with_context(arguments[0]);
  outcome.output = std::move(*text);
  text = content(*messages);
  if (!text) return text.error().with_context(arguments[0]);
  outcome.messages = std::move(*text);
  return outcome;
}

}  // namespace awl
