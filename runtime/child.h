// The command of -c: its process is made before the programs are loaded (they may want its id), and
// waits right before its execve(2) until everything is attached. So it is seen from its first
// instruction on, the execve included; and it ends by itself if the tracer is killed meanwhile.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "runtime/signals.h"

namespace awl::runtime {

// The words of a command line: separated by blanks; quotes and backslashes as in a shell, but
// nothing else of a shell. Fails on a quote that is never closed, and where there is no word.
Result<std::vector<std::string>> split_command(const std::string &command);

class Child {
 public:
  // Makes the process, which waits for resume(). A program that cannot be found is an error.
  // `signals` may be null; otherwise they are in the child as they were before they were blocked.
  static Result<Child> start(const std::string &command, const Signals *signals);

  Child(Child &&other) noexcept;
  Child &operator=(Child &&) = delete;
  // Ends the command with SIGTERM if it is still running.
  ~Child();

  pid_t pid() const { return pid_; }
  int fd() const { return fd_.get(); }  // a pidfd: readable when the command has ended
  // Lets it become the command; calls the function, if it could, when all of the program is mapped
  // and nothing of it has run (where ptrace(2) is not allowed, it may run already).
  // `loads_libraries`: the loader runs before, so that libraries are mapped, too (on x86-64).
  Status resume(
      const std::function<void()> &before_first_instruction = [] {}, bool loads_libraries = false);
  // Takes the exit status of a command that has ended. False: it has not.
  bool reap();

 private:
  Child() = default;
  void wait_for_execve();
  void run_to_entry();
  bool wait_for_stop(int *status);
  pid_t pid_ = -1;
  FileDescriptor fd_;
  FileDescriptor go_, failure_;  // our ends of pipes: to tell it to go on, to be told why it cannot
  std::string path_;
  bool is_reaped_ = false;
};

// A descriptor that becomes readable when the process ends (pidfd_open, 5.3).
Result<FileDescriptor> open_process(pid_t pid);

}  // namespace awl::runtime
