// The command of -c: started before the programs are loaded (they may want its process id), held
// right after its execve(2) until everything is attached.
#pragma once

#include <sys/types.h>

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
  // Starts the command and returns when it stands at the first instruction of its program.
  // `signals` may be null; otherwise they are in the child as they were before they were blocked.
  static Result<Child> start(const std::string &command, const Signals *signals);

  Child(Child &&other) noexcept;
  Child &operator=(Child &&) = delete;
  // Ends the command with SIGTERM if it is still running.
  ~Child();

  pid_t pid() const { return pid_; }
  int fd() const { return fd_.get(); }  // a pidfd: readable when the command has ended
  Status resume();
  // Takes the exit status of a command that has ended. False: it has not.
  bool reap();

 private:
  Child() = default;
  pid_t pid_ = -1;
  FileDescriptor fd_;
  bool is_held_ = true, is_reaped_ = false;
};

// A descriptor that becomes readable when the process ends (pidfd_open, 5.3).
Result<FileDescriptor> open_process(pid_t pid);

}  // namespace awl::runtime
