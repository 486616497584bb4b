#include "runtime/event_loop.h"

#include <sys/epoll.h>
#include <time.h>

namespace awl::runtime {
namespace {

// After records have come, the rings are looked at this often, and producers are not made to wake
// us (a wake-up costs the traced program more than the record); after so many looks in vain we
// ask for wake-ups again.
constexpr int kPollMilliseconds = 1;
constexpr int kMaxIdlePolls = 4;
// A ring this full is read again at once.
constexpr size_t kBusyPart = 8;
constexpr int64_t kLostReportSeconds = 1;

int64_t now_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec;
}

bool add(int epoll, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

// Handles one descriptor that is ready; true: the run ends.
bool handle_event(const LoopInputs &inputs, int fd) {
  if (fd == inputs.process || (inputs.child != nullptr && fd == inputs.child->fd())) return true;
  if (fd != inputs.signals->fd()) {
    inputs.consumer->read_process_events();  // or of a ring, which is read in any case
    return false;
  }
  while (const int signal = inputs.signals->next()) {
    if (ends_run(signal)) return true;
    inputs.on_signal(signal);
  }
  return false;
}

}  // namespace

Status run_event_loop(const LoopInputs &inputs) {
  FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  bool is_set_up = epoll && add(epoll.get(), inputs.signals->fd(), EPOLLIN) &&
                   add(epoll.get(), inputs.process, EPOLLIN) &&
                   (inputs.child == nullptr || add(epoll.get(), inputs.child->fd(), EPOLLIN));
  // Edge-triggered: while we poll they would else always be ready (see RingReader::rest).
  for (int map : inputs.ring_maps)
    is_set_up = is_set_up && add(epoll.get(), map, EPOLLIN | EPOLLET);
  for (int event : inputs.consumer->process_event_descriptors())
    is_set_up = is_set_up && add(epoll.get(), event, EPOLLIN);
  if (!is_set_up) return Error::from_errno("cannot wait for events");

  Consumer &consumer = *inputs.consumer;
  const size_t busy_size = consumer.output_ring().size() / kBusyPart;
  int idle_polls = 0;
  int64_t last_report = now_seconds();
  for (;;) {
    const size_t size = consumer.drain();
    inputs.output->end_of_batch();
    if (consumer.has_exited() || inputs.output->writer().has_failed()) return ok();
    int timeout = kPollMilliseconds;
    if (size > 0) {
      consumer.rest();
      idle_polls = 0;
      if (busy_size > 0 && size > busy_size) timeout = 0;
    } else if (++idle_polls >= kMaxIdlePolls) {
      // What came before wake-ups were asked for woke nobody.
      consumer.catch_up();
      if (consumer.drain() > 0) {
        inputs.output->end_of_batch();
        idle_polls = 0;
        continue;
      }
      // Now that nobody waits for output.
      consumer.remember_processes();
      timeout = -1;
    }
    if (const int64_t now = now_seconds(); now >= last_report + kLostReportSeconds) {
      last_report = now;
      consumer.report_lost();
      consumer.remember_processes();
      inputs.output->end_of_batch();
    }
    // Those that came while the output could not be written.
    if (inputs.signals->has_kept() && handle_event(inputs, inputs.signals->fd())) return ok();
    epoll_event events[8];
    const int count = epoll_wait(epoll.get(), events, 8, timeout);
    for (int i = 0; i < count; ++i) {
      if (handle_event(inputs, events[i].data.fd)) return ok();
    }
  }
}

}  // namespace awl::runtime
