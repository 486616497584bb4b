#include "runtime/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace awl::runtime {
namespace {

void (*leave_function)() = nullptr;

void end_process(int signal) {
  if (leave_function != nullptr) leave_function();
  _exit(128 + signal);
}

}  // namespace

int signal_number(const std::string &name) {
  if (name == "SIGUSR1") return SIGUSR1;
  if (name == "SIGUSR2") return SIGUSR2;
  return 0;
}

Result<Signals> Signals::block() {
  sigset_t blocked;
  sigemptyset(&blocked);
  // Those of `self` probes also where a script has none: they are not to cost anybody their maps.
  for (int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaddset(&blocked, signal);
  struct sigaction hangup {};
  // Ignored: started with nohup.
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaddset(&blocked, SIGHUP);
  }
  Signals signals;
  sigprocmask(SIG_BLOCK, &blocked, &signals.previous_);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &signals.previous_pipe_);
  signals.fd_ = FileDescriptor(signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.fd_) return Error::from_errno("cannot wait for signals");
  return signals;
}

Signals::~Signals() {
  if (fd_) restore();
}

bool ends_run(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP; }

bool Signals::keep() {
  bool ends = false;
  std::deque<int> before = std::move(kept_);
  kept_.clear();
  while (const int signal = next()) {
    before.push_back(signal);
    ends = ends || ends_run(signal);
  }
  kept_ = std::move(before);
  return ends;
}

int Signals::next() {
  if (!kept_.empty()) {
    const int signal = kept_.front();
    kept_.pop_front();
    return signal;
  }
  signalfd_siginfo info;
  if (read(fd_.get(), &info, sizeof info) != sizeof info) return 0;
  return static_cast<int>(info.ssi_signo);
}

void Signals::end_at_once(void (*leave)()) {
  leave_function = leave;
  struct sigaction action {};
  action.sa_handler = end_process;
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int signal : {SIGINT, SIGTERM}) {
    sigaction(signal, &action, nullptr);
    sigaddset(&wanted, signal);
  }
  sigprocmask(SIG_UNBLOCK, &wanted, nullptr);
}

void Signals::restore() const {
  sigaction(SIGPIPE, &previous_pipe_, nullptr);
  sigprocmask(SIG_SETMASK, &previous_, nullptr);
}

}  // namespace awl::runtime
