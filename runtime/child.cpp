#include "runtime/child.h"

#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/find_program.h"

namespace awl::runtime {
namespace {

// In the child: waits until the other end of the pipe says so, then becomes the command. Never
// returns: it ends when the tracer has gone. A failure's errno goes through the other pipe.
[[noreturn]] void run_command(const std::string &path, std::vector<char *> &arguments,
                              const Signals *signals, int go_pipe, int failure_pipe) {
  if (signals != nullptr) signals->restore();
  char go = 0;
  if (read_some(go_pipe, &go, 1) != 1) _exit(0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // however the tracer ends, the command does not go on
  execv(path.c_str(), arguments.data());
  const int code = errno;
  (void)!write(failure_pipe, &code, sizeof code);
  _exit(127);
}

#ifdef __x86_64__
// What the kernel has told a process when its program began; 0: nothing of that kind.
uint64_t auxiliary_value(pid_t pid, uint64_t kind) {
  Result<std::string> vector = read_file("/proc/" + std::to_string(pid) + "/auxv", 1u << 16);
  for (size_t at = 0; vector && at + sizeof(Elf64_auxv_t) <= vector->size();
       at += sizeof(Elf64_auxv_t)) {
    Elf64_auxv_t entry;
    memcpy(&entry, vector->data() + at, sizeof entry);
    if (entry.a_type == kind) return entry.a_un.a_val;
  }
  return 0;
}
#endif

}  // namespace

Result<std::vector<std::string>> split_command(const std::string &command) {
  std::vector<std::string> words;
  std::string word;
  bool is_in_word = false;
  char quote = 0;
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == '\'' ? c == '\'' : quote == '"' && c == '"') {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      // Between double quotes a backslash stands for itself but before what is special there.
      if (quote == '"' && strchr("\"\\$`", command[i + 1]) == nullptr) word += c;
      word += command[++i];
      is_in_word = true;
    } else if (quote != 0) {
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      is_in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (is_in_word) words.push_back(std::exchange(word, {}));
      is_in_word = false;
    } else {
      word += c;
      is_in_word = true;
    }
  }
  if (quote != 0) return Error{"the command has a quote that is not closed: " + command};
  if (is_in_word) words.push_back(word);
  if (words.empty()) return Error{"the command is empty"};
  return words;
}

Result<Child> Child::start(const std::string &command, const Signals *signals) {
  Result<std::vector<std::string>> words = split_command(command);
  if (!words) return words.error();
  Result<std::string> path = find_program(words->front());
  if (!path && command.find_first_of("&|;<>$*`") != std::string::npos) {
    return Error{path.error().message + "; no shell reads the command: sh -c '...' is one",
                 path.error().code};
  }
  if (!path) return path.error();
  std::vector<char *> arguments;
  for (std::string &word : *words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  int failure_pipe[2], go_pipe[2];
  if (pipe2(failure_pipe, O_CLOEXEC) != 0) return Error::from_errno("cannot start the command");
  FileDescriptor failure_end(failure_pipe[1]);
  Child child;
  child.path_ = *path;
  child.failure_ = FileDescriptor(failure_pipe[0]);
  if (pipe2(go_pipe, O_CLOEXEC) != 0) return Error::from_errno("cannot start the command");
  FileDescriptor go_end(go_pipe[0]);
  child.go_ = FileDescriptor(go_pipe[1]);
  child.pid_ = fork();
  if (child.pid_ < 0) return Error::from_errno("cannot start the command");
  if (child.pid_ == 0) {
    child.go_.reset();  // else it would wait for itself
    run_command(*path, arguments, signals, go_end.get(), failure_end.get());
  }
  Result<FileDescriptor> fd = open_process(child.pid_);
  if (!fd) return fd.error();
  child.fd_ = std::move(*fd);
  return child;
}

Child::Child(Child &&other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      fd_(std::move(other.fd_)),
      go_(std::move(other.go_)),
      failure_(std::move(other.failure_)),
      path_(std::move(other.path_)),
      is_reaped_(other.is_reaped_) {}

Child::~Child() {
  if (pid_ > 0 && !is_reaped_) kill(pid_, SIGTERM);
}

Status Child::resume(const std::function<void()> &before_first_instruction, bool loads_libraries) {
  const bool is_traced = ptrace(PTRACE_SEIZE, pid_, nullptr, PTRACE_O_TRACEEXEC) == 0;
  if (write(go_.get(), "", 1) != 1) return Error::from_errno("cannot start the command");
  go_.reset();
  if (is_traced) wait_for_execve();
  // The pipe is closed by an execve(2) that succeeds.
  int code = 0;
  const bool has_failed = read_some(failure_.get(), &code, sizeof code) == sizeof code;
  if (!has_failed && is_traced && loads_libraries && !is_reaped_) run_to_entry();
  if (!has_failed) before_first_instruction();
  if (is_traced && !is_reaped_) ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
  return has_failed ? Status(Error::from_errno("cannot run " + path_, code)) : ok();
}

// False: it has ended.
bool Child::wait_for_stop(int *status) {
  for (;;) {
    if (waitpid(pid_, status, 0) == pid_) {
      is_reaped_ = !WIFSTOPPED(*status);
      return !is_reaped_;
    }
    if (errno != EINTR) return false;
  }
}

// Until it stands behind its execve(2), or has ended.
void Child::wait_for_execve() {
  for (int status = 0; wait_for_stop(&status);) {
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8))) return;
    // A signal on its way: it goes on to where it was meant to go.
    const bool is_signal = status >> 16 == 0;
    ptrace(PTRACE_CONT, pid_, nullptr, is_signal ? WSTOPSIG(status) : 0);
  }
}

// From behind its execve(2) to the program's entry point, where the loader hands over to it.
void Child::run_to_entry() {
#ifdef __x86_64__
  constexpr long kBreakpoint = 0xcc;  // int3
  const uint64_t entry = auxiliary_value(pid_, AT_ENTRY);
  errno = 0;
  const long word = ptrace(PTRACE_PEEKTEXT, pid_, entry, nullptr);
  // One that stands there already is somebody else's.
  if (entry == 0 || errno != 0 || (word & 0xff) == kBreakpoint) return;
  if (ptrace(PTRACE_POKETEXT, pid_, entry, (word & ~0xffL) | kBreakpoint) != 0) return;
  ptrace(PTRACE_CONT, pid_, nullptr, 0);
  for (int status = 0; wait_for_stop(&status);) {
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, pid_, nullptr, &registers);
    if (WSTOPSIG(status) == SIGTRAP && status >> 16 == 0 && registers.rip == entry + 1) {
      ptrace(PTRACE_POKETEXT, pid_, entry, word);
      registers.rip = entry;
      ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
      return;
    }
    const bool is_signal = status >> 16 == 0;
    ptrace(PTRACE_CONT, pid_, nullptr, is_signal ? WSTOPSIG(status) : 0);
  }
#endif
}

bool Child::reap() {
  if (is_reaped_) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) is_reaped_ = true;
  return is_reaped_;
}

// 0: not known.
static pid_t process_of_thread(pid_t thread) {
  constexpr std::string_view kField = "\nTgid:";
  Result<std::string> status = read_file("/proc/" + std::to_string(thread) + "/status", 4096);
  const size_t at = status ? status->find(kField) : std::string::npos;
  return at == std::string::npos ? 0 : atoi(status->c_str() + at + kField.size());
}

Result<FileDescriptor> open_process(pid_t pid) {
#ifndef SYS_pidfd_open
  constexpr long kPidfdOpen = 434;
#else
  constexpr long kPidfdOpen = SYS_pidfd_open;
#endif
  FileDescriptor fd(static_cast<int>(syscall(kPidfdOpen, pid, 0)));
  const std::string name = std::to_string(pid);
  if (!fd) {
    const Error error = Error::from_errno("cannot watch process " + name);
    if (error.code == ESRCH) return Error{"there is no process " + name, ESRCH};
    const pid_t process = process_of_thread(pid);
    if (process == 0 || process == pid) return error;
    return Error{name + " is a thread of process " + std::to_string(process) +
                     "; a process is traced as a whole (`tid == " + name +
                     "` in a predicate tells the thread)",
                 EINVAL};
  }
  pollfd state{fd.get(), POLLIN, 0};
  if (poll(&state, 1, 0) == 1) {
    return Error{"process " + name + " has ended: its parent has not taken notice of it yet",
                 ESRCH};
  }
  return fd;
}

}  // namespace awl::runtime
