// Signals: INT and TERM end a run cleanly, a second one at once; SIGUSR1 and SIGUSR2 are events
// for scripts. They are blocked and read from a descriptor that the event loop waits for.
#pragma once

#include <signal.h>

#include <deque>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace awl::runtime {

// The number of a signal that scripts can wait for ("SIGUSR1", "SIGUSR2"); 0: not one.
int signal_number(const std::string &name);

// INT, TERM and HUP.
bool ends_run(int signal);

class Signals {
 public:
  // Blocks INT, TERM, HUP, USR1 and USR2; ignores PIPE (a failed write is noticed where it
  // happens). Undone when this goes.
  static Result<Signals> block();
  Signals(Signals &&) = default;
  Signals &operator=(Signals &&) = default;
  ~Signals();

  int fd() const { return fd_.get(); }
  // The next signal that has arrived; 0: none.
  int next();

  // Takes what has arrived off fd() and keeps it for next(). Whether something is among it that
  // ends the run.
  bool keep();
  bool has_kept() const { return !kept_.empty(); }

  // From now on INT and TERM end the process at once, after `leave` was called.
  void end_at_once(void (*leave)());
  // In a child before it runs another program: everything as it was.
  void restore() const;

 private:
  Signals() = default;

  FileDescriptor fd_;
  std::deque<int> kept_;
  sigset_t previous_{};
  struct sigaction previous_pipe_ {};
};

}  // namespace awl::runtime
