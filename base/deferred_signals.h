// Makes the signals that end a program wait, so that it can clean up first.
#pragma once

#include <signal.h>

#include "base/file.h"

namespace awl {

// As long as one lives, INT, TERM, HUP and QUIT wait, in this thread; when the outermost one goes,
// they do what they would have done. Those that are ignored stay so.
class DeferredSignals {
 public:
  DeferredSignals();
  DeferredSignals(const DeferredSignals &) = delete;
  ~DeferredSignals();

  // Readable when one is waiting; it is not to be read from. Negative: none could be made.
  int fd() const { return fd_.get(); }
  bool is_waiting() const;

 private:
  sigset_t deferred_{}, previous_{};
  FileDescriptor fd_;
};

}  // namespace awl
