// Everything that is attached, and how to let go of it quickly.
//
// Two kinds of descriptors: links, which hold a program to its hook and take 25 to 50 ms to close
// (together where threads do it), and events underneath (perf events), which the kernel takes 85
// to 125 ms each to close when they are tracepoints, one after another (perf_trace_event_unreg
// waits for RCU). Closing the links stops all programs; the events are left to a process of their
// own.
#pragma once

#include <vector>

#include "base/file.h"
#include "runtime/attach/tc_filter.h"

namespace awl::runtime {

class Attachments {
 public:
  // A BPF link.
  void add_link(FileDescriptor link) { links_.push_back(std::move(link)); }
  // The link of an iterator, which runs when it is read.
  void add_iterator(FileDescriptor link) { iterators_.push_back(std::move(link)); }
  const std::vector<FileDescriptor> &iterators() const { return iterators_; }
  // A perf event. Slow ones are those that the kernel waits for when they are closed.
  void add_event(FileDescriptor event, bool is_slow = false);
  // A program of tc where there are no links for it.
  Status add_filter(int program, int interface, bool is_ingress) {
    return filters_.add(program, interface, is_ingress);
  }

  // A watchpoint: a link and its event, or an event alone, at an address.
  void add_watchpoint(uint64_t address, FileDescriptor link, FileDescriptor event) {
    watchpoints_.push_back({address, std::move(link), std::move(event)});
  }
  // Lets go of the watchpoints at an address.
  void remove_watchpoints(uint64_t address);

  // Stops all programs that are attached by links and waits until none is running any more.
  // Slow events attached without links (before 5.15) go on until leave_behind(), unless they are
  // waited for, too.
  void detach_programs(bool with_slow_events = false);

  // Lets go of all that is left: hands it to a process which closes it after us, has no other
  // descriptor open and ends when it is done. Async-signal-safe.
  void leave_behind();

 private:
  struct Watchpoint {
    uint64_t address = 0;
    FileDescriptor link, event;
  };
  std::vector<Watchpoint> watchpoints_;
  std::vector<FileDescriptor> links_, events_, slow_events_, iterators_;
  TcFilters filters_;
};

}  // namespace awl::runtime
