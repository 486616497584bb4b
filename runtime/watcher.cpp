#include "runtime/watcher.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/attach/families.h"

namespace awl::runtime {
namespace {

struct ToldKey {
  uint64_t process = 0;  // tgid << 32
  uint64_t address = 0;
};

// Continues the processes that are named through the pipe once its other end is closed.
[[noreturn]] void guard(int pipe) {
  setsid();
  (void)!chdir("/");
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  if (pipe > 0) syscall(SYS_close_range, 0, pipe - 1, 0);
  syscall(SYS_close_range, pipe + 1, ~0u, 0);
  std::vector<FileDescriptor> processes;
  int pid = 0;
  for (;;) {
    const ssize_t size = read(pipe, &pid, sizeof pid);
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof pid) break;
    processes.emplace_back(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  }
  for (const FileDescriptor &process : processes) {
    syscall(SYS_pidfd_send_signal, process.get(), SIGCONT, nullptr, 0);
  }
  _exit(0);
}

}  // namespace

Watcher::~Watcher() {
  guard_pipe_.reset();
  if (guard_ > 0) waitpid(guard_, nullptr, 0);
}

bool Watcher::may_stop() const {
  return std::any_of(
      description_.events.begin(), description_.events.end(),
      [](const object::Event &event) { return event.kind == object::EventKind::kWatch; });
}

Status Watcher::start() {
  if (!may_stop()) return ok();
  if (!context_.pid) {
    return Error{"a watchpoint by a function's argument needs a process: -p or -c", EINVAL};
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno("cannot make a pipe");
  FileDescriptor read_end(ends[0]), write_end(ends[1]);
  const pid_t child = fork();
  if (child < 0) return Error::from_errno("cannot start a process");
  if (child == 0) guard(read_end.get());
  guard_ = child;
  guard_pipe_ = std::move(write_end);
  const int pid = *context_.pid;
  if (write(guard_pipe_.get(), &pid, sizeof pid) != sizeof pid) {
    return Error::from_errno("cannot note the process");
  }
  return ok();
}

Status Watcher::attach(const WatchRequest &request) {
  const size_t next = size_t{request.program} + 1;
  if (next >= plan_.instances.size() || plan_.instances[next].empty()) return ok();
  const Instance &instance = plan_.instances[next].front();
  const Target &target = instance.targets.front();
  if (target.point->family != "watchpoint") return ok();
  Status status = watch_address(context_, target, loaded_.program(next, 0), request.pid,
                                request.address, attachments_);
  if (status) return ok();
  char address[32];
  snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(request.address));
  return Error{"cannot watch " + std::string(address) + " for " + target.name + ": " +
                   status.error().message,
               status.error().code};
}

Status Watcher::watch(const WatchRequest &request) {
  Status status = attach(request);
  if (request.is_stopped) kill(request.pid, SIGCONT);
  return status;
}

void Watcher::unwatch(uint64_t address) {
  attachments_.remove_watchpoints(address);
  for (size_t i = 0; i < description_.programs.size(); ++i) {
    const int map = loaded_.map(object::kEntriesPrefix + std::to_string(i));
    if (map < 0 || description_.programs[i].attach_points.front().family != "watchpoint") continue;
    std::vector<ToldKey> found;
    ToldKey key, following;
    for (bool is_more = bpf_map_get_next_key(map, nullptr, &following) == 0; is_more;
         is_more = bpf_map_get_next_key(map, &key, &following) == 0) {
      key = following;
      if (key.address == address) found.push_back(key);
    }
    for (const ToldKey &old : found) bpf_map_delete_elem(map, &old);
  }
}

}  // namespace awl::runtime
