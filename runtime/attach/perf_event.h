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

Result<FileDescriptor> open_perf_event(perf_event_attr &attributes, EventScope scope);

// An event with a program that runs on it, and the link between the two where the kernel has those.
struct AttachedEvent {
  FileDescriptor event, link;
};
// Attaches the program to an event (through a link with the target's probe id as cookie where the
// kernel has those) and starts it.
Result<AttachedEvent> start_perf_event(const AttachContext &context, FileDescriptor event,
                                       int program, uint32_t cookie);

// The same; what comes of it goes to the attachments.
Status start_perf_event(const AttachContext &context, FileDescriptor event, int program,
                        uint32_t cookie, bool is_slow, Attachments &attachments);
// Opens a perf event and does so.
Status attach_perf_event(const AttachContext &context, perf_event_attr &attributes,
                         EventScope scope, int program, uint32_t cookie, bool is_slow,
                         Attachments &attachments);

// The same on every online CPU. With -p the program leaves out what happens in other processes: an
// event that is bound to a process counts its first thread alone.
Status attach_perf_event_everywhere(const AttachContext &context, perf_event_attr &attributes,
                                    int program, uint32_t cookie, Attachments &attachments);

// What perf calls the events of a kind of probes: `folder` is in /sys/bus/event_source/devices and
// ends in a slash.
struct PerfDevice {
  uint32_t type = 0;
  uint64_t config = 0;
};
Result<PerfDevice> find_perf_device(const std::string &folder, bool is_return);
// Which bit of `config` a field of the format begins at: "retprobe"; nothing: there is none.
std::optional<uint32_t> perf_format_bit(const std::string &folder, const std::string &field);

// CPUs that are online, by /sys/devices/system/cpu/online.
std::vector<int> online_cpus();

// A program of a type (enum bpf_prog_type) that does nothing: to ask the kernel with.
FileDescriptor load_empty_program(uint32_t type);

// Whether the kernel attaches programs to perf events, or to raw tracepoints, with cookies.
// Loads an empty program to ask.
bool has_perf_links();
bool has_raw_tracepoint_cookies();

}  // namespace awl::runtime
