#include "runtime/attach/attachments.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "runtime/attach/guard.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxThreads = 128;

// Waits for every program that was running when it is called.
void wait_for_running_programs() { syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

}  // namespace

void Attachments::add_event(FileDescriptor event, bool is_slow) {
  (is_slow ? slow_events_ : events_).push_back(std::move(event));
}

void Attachments::remove_watchpoints(uint64_t address) {
  std::erase_if(watchpoints_, [&](const Watchpoint &known) { return known.address == address; });
}

void Attachments::detach_programs(bool with_slow_events) {
  filters_.remove();
  const bool has_watchpoints = !watchpoints_.empty();
  watchpoints_.clear();
  const bool has_slow_events = with_slow_events && !slow_events_.empty();
  if (links_.empty() && events_.empty() && !has_slow_events && !has_watchpoints) return;
  // Each close may wait for the kernel's readers (RCU tasks trace, since 6.13: 25 to 50 ms), but
  // they wait together when they are closed together.
  std::atomic<size_t> next = 0;
  const auto close_links = [&] {
    for (size_t i = next++; i < links_.size(); i = next++) links_[i].reset();
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(links_.size(), kMaxThreads); ++i) {
    threads.emplace_back(close_links);
  }
  close_links();
  for (std::thread &thread : threads) thread.join();
  links_.clear();
  events_.clear();
  if (with_slow_events) slow_events_.clear();
  wait_for_running_programs();
}

void Attachments::leave_behind() {
  const auto is_nothing_left = [this] { return links_.empty() && slow_events_.empty(); };
  int pipe_ends[2];
  if (is_nothing_left() || pipe2(pipe_ends, O_CLOEXEC) != 0) return;
  // The last descriptor of an event is the slow one to close, so the process waits for ours to be
  // closed: its end of the pipe reads end-of-file when we have ended.
  const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    become_guard(pipe_ends[0], {&links_, &events_, &slow_events_});
    // A second signal may come while others close: what they have closed just now still stands in
    // the lists, and its number may be that of our own end, which would never read end-of-file.
    close(pipe_ends[1]);
    char byte;
    while (read(pipe_ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
  }
  close(pipe_ends[0]);
  for (std::vector<FileDescriptor> *fds : {&links_, &events_, &slow_events_}) {
    for (FileDescriptor &fd : *fds) fd.reset();
  }
}

}  // namespace awl::runtime
