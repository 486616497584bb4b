#include "base/deferred_signals.h"

#include <sys/signalfd.h>

namespace awl {

DeferredSignals::DeferredSignals() {
  sigemptyset(&deferred_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&deferred_, signal);
    }
  }
  ::pthread_sigmask(SIG_BLOCK, &deferred_, &previous_);
  fd_ = FileDescriptor(::signalfd(-1, &deferred_, SFD_CLOEXEC | SFD_NONBLOCK));
}

DeferredSignals::~DeferredSignals() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

bool DeferredSignals::is_waiting() const {
  sigset_t pending, ours;
  return ::sigpending(&pending) == 0 && sigandset(&ours, &pending, &deferred_) == 0 &&
         sigisemptyset(&ours) == 0;
}

}  // namespace awl
