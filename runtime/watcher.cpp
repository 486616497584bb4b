#include "runtime/watcher.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "runtime/attach/families.h"
#include "runtime/attach/guard.h"

namespace awl::runtime {
namespace {

struct ToldKey {
  uint64_t process = 0;  // tgid << 32
  uint64_t address = 0;
};

constexpr int kRounds = 20;
constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 50'000'000};

bool is_stopped(int pid) {
  char text[512];
  snprintf(text, sizeof text, "/proc/%d/stat", pid);
  const FileDescriptor file(open(text, O_RDONLY | O_CLOEXEC));
  const ssize_t size = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (size <= 0) return false;
  text[size] = 0;
  // The name before the state may hold anything.
  const char *name_end = strrchr(text, ')');
  return name_end != nullptr && strncmp(name_end, ") T", 3) == 0;
}

// Continues the process once the pipe's other end is closed. A byte before that says that nothing
// is attached any more; otherwise programs may still run for a while, until the kernel has closed
// all that the tracer had, and may stop the process again.
[[noreturn]] void guard(int pipe, int pid) {
  become_guard(pipe);
  const FileDescriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  char byte;
  ssize_t size;
  do {
    size = read(pipe, &byte, sizeof byte);
  } while (size < 0 && errno == EINTR);
  const auto resume = [&] {
    return syscall(SYS_pidfd_send_signal, process.get(), SIGCONT, nullptr, 0) == 0;
  };
  // The first time even if it runs: a signal that stops it may be on its way.
  bool is_there = resume();
  for (int i = 0; size != sizeof byte && is_there && i < kRounds; ++i) {
    nanosleep(&kPause, nullptr);
    if (is_stopped(pid)) is_there = resume();
  }
  _exit(0);
}

}  // namespace

void Watcher::let_go() {
  if (!guard_pipe_) return;
  const char byte = 0;
  (void)!write(guard_pipe_.get(), &byte, sizeof byte);
  guard_pipe_.reset();
  waitpid(guard_, nullptr, 0);
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
  if (child == 0) guard(read_end.get(), *context_.pid);
  guard_ = child;
  guard_pipe_ = std::move(write_end);
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
  if (!guard_pipe_) return ok();  // all else is detached, and the process goes on
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
