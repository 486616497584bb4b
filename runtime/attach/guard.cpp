#include "runtime/attach/guard.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace awl::runtime {
namespace {

// Closes all descriptors but those in the lists and `also`.
void close_all_but(std::initializer_list<const std::vector<FileDescriptor> *> kept, int also) {
  int next = 0;
  // Few and unsorted: the smallest that is left is looked for each time.
  for (;;) {
    int lowest = also >= next ? also : -1;
    for (const std::vector<FileDescriptor> *fds : kept) {
      for (const FileDescriptor &fd : *fds) {
        if (fd.get() >= next && (lowest < 0 || fd.get() < lowest)) lowest = fd.get();
      }
    }
    if (lowest < 0) break;
    if (lowest > next) syscall(SYS_close_range, next, lowest - 1, 0);
    next = lowest + 1;
  }
  syscall(SYS_close_range, next, ~0u, 0);
}

}  // namespace

void become_guard(int pipe, std::initializer_list<const std::vector<FileDescriptor> *> kept) {
  setsid();
  (void)!chdir("/");
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  close_all_but(kept, pipe);
}

}  // namespace awl::runtime
