// perf events with a program: what most families are made of.
#pragma once

#include <linux/perf_event.h>

#include <optional>

#include "base/file.h"
#include "base/result.h"
#include "runtime/attach/attachments.h"
#include "runtime/attach/family.h"

namespace awl::runtime {

// Where an event counts: a process on all CPUs (cpu -1), or all processes on one CPU (pid -1).
struct EventScope {
  int pid = -1;
  int cpu = -1;
};

// Opens a perf event, attaches the program to it (through a link with the target's probe id as
// cookie where the kernel has those) and starts it.
Status attach_perf_event(const AttachContext &context, perf_event_attr &attributes,
                         EventScope scope, int program, uint32_t cookie, bool is_slow,
                         Attachments &attachments);

// The same on every online CPU. With -p the program leaves out what happens in other processes: an
// event that is bound to a process counts its first thread alone.
Status attach_perf_event_everywhere(const AttachContext &context, perf_event_attr &attributes,
                                    int program, uint32_t cookie, Attachments &attachments);

// CPUs that are online, by /sys/devices/system/cpu/online.
std::vector<int> online_cpus();

// Whether the kernel attaches programs to perf events, or to raw tracepoints, with cookies.
// Loads an empty program to ask.
bool has_perf_links();
bool has_raw_tracepoint_cookies();

}  // namespace awl::runtime
