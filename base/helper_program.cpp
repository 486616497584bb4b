#include "base/helper_program.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/file.h"

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

Result<pid_t> start(const std::vector<std::string> &arguments, int input, int output,
                    int messages) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own, so that what it starts can be ended with it.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char *> words;
  for (const std::string &argument : arguments)
    words.push_back(const_cast<char *>(argument.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return Error::from_errno("cannot start " + arguments[0], error);
  return pid;
}

// Its status as of waitpid(); nothing when it had to be killed.
Result<int> wait_for(pid_t pid, int limit_s) {
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
    if (left.count() <= 0) break;
    pollfd wait{end.get(), POLLIN, 0};
    if (end) {
      ::poll(&wait, 1, static_cast<int>(left.count()));
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
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
  const Result<pid_t> pid = start(arguments, in->get(), out->get(), messages->get());
  if (!pid) return pid.error();
  const Result<int> status = wait_for(*pid, limit_s);
  if (!status) return status.error().with_context(arguments[0]);
  HelperOutcome outcome;
  outcome.exit_code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
  Result<std::string> text = content(*out);
  if (!text) return text.error().with_context(arguments[0]);
  outcome.output = std::move(*text);
  text = content(*messages);
  if (!text) return text.error().with_context(arguments[0]);
  outcome.messages = std::move(*text);
  return outcome;
}

std::string find_program(const std::string &name) {
  const auto can_run = [](const std::string &path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return can_run(name) ? name : "";
  const char *variable = std::getenv("PATH");
  const std::string_view folders = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
  for (size_t begin = 0; begin <= folders.size();) {
    const size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string_view folder = folders.substr(begin, end - begin);
    begin = end + 1;
    // An empty entry would be the current folder, whose programs root must not run by accident.
    if (folder.empty() || folder[0] != '/') continue;
    const std::string path = std::string(folder) + "/" + name;
    if (can_run(path)) return path;
  }
  return "";
}

}  // namespace awl
