// syscall, and tracepoint:syscalls:sys_enter_* and sys_exit_*: one program on the raw tracepoint
// sys_enter or sys_exit serves any number of them. It finds out by number, in a table that the
// loader fills, whether and as which probe a call is traced. A perf tracepoint takes the kernel 100
// ms to detach, of each system call; this takes 2 ms for all.
#include <bpf/bpf.h>

#include <algorithm>

#include "base/pattern.h"
#include "base/tracefs.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"
#include "runtime/syscalls.h"

namespace awl::runtime {
namespace {

// "sys_enter_openat" → "openat"; empty: no name of a system call's tracepoint.
std::string call_of(const std::string &event) {
  for (const char *prefix : {"sys_enter_", "sys_exit_"}) {
    const std::string start = prefix;
    if (event.compare(0, start.size(), start) == 0) return event.substr(start.size());
  }
  return {};
}

Target syscall_target(const object::AttachPoint &point, const std::string &event) {
  Target target = plain_target(point);
  target.name = "tracepoint:syscalls:" + event;
  target.category = "syscalls";
  target.event = event;
  target.syscall = syscall_number(call_of(event));
  return target;
}

// Every event that the pattern may mean: what tracefs lists, or, on kernels without those
// tracepoints, what the table of system calls has.
std::vector<std::string> matching_events(const std::string &pattern) {
  std::vector<std::string> events;
  Result<std::vector<std::string>> listed = list_tracepoints("syscalls", pattern);
  if (listed && !listed->empty()) {
    for (const std::string &name : *listed) events.push_back(name.substr(name.find(':') + 1));
    return events;
  }
  const std::string prefix = pattern.compare(0, 8, "sys_exit") == 0 ? "sys_exit_" : "sys_enter_";
  for (const std::string &name : syscall_names()) {
    if (matches_pattern(pattern, prefix + name)) events.push_back(prefix + name);
  }
  std::sort(events.begin(), events.end());
  return events;
}

// Of the family `syscall`: by the name of the manual page.
Expansion expand_call(const object::AttachPoint &point) {
  Expansion expansion;
  std::vector<std::string> names{point.target};
  if (has_wildcard(point.target)) names = call_names();
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    const int32_t number = call_number(name);
    if (number < 0 || !matches_pattern(point.target, name)) continue;
    Target target = plain_target(point);
    target.name = "syscall:" + name + ":" + point.category;
    target.category = point.category;
    target.event = name;
    target.syscall = number;
    expansion.targets.push_back(std::move(target));
  }
  if (!expansion.targets.empty()) return expansion;
  expansion.missing = "No system call " + point.target + " on this machine";
  const std::string nearest = nearest_name(point.target, call_names());
  if (!nearest.empty()) expansion.missing += "; did you mean syscall:" + nearest + "?";
  return expansion;
}

}  // namespace

AWL_EXPANDS(expand_syscall) {
  if (point.family == "syscall") return expand_call(point);
  (void)context;
  Expansion expansion;
  if (!has_wildcard(point.target)) {
    Target target = syscall_target(point, point.target);
    // Names that the table lacks may be those of calls newer than it, or of 32-bit calls.
    if (target.syscall >= 0 || tracepoint_id("syscalls", point.target)) {
      expansion.targets.push_back(std::move(target));
      return expansion;
    }
  } else {
    const bool is_exit = point.target.compare(0, 8, "sys_exit") == 0;
    for (const std::string &event : matching_events(point.target)) {
      if (event.compare(0, is_exit ? 9 : 10, is_exit ? "sys_exit_" : "sys_enter_") != 0) continue;
      expansion.targets.push_back(syscall_target(point, event));
    }
    if (!expansion.targets.empty()) return expansion;
  }
  expansion.missing = "No matches for tracepoint syscalls:" + point.target;
  if (!has_wildcard(point.target)) {
    const std::string nearest = nearest_name(call_of(point.target), syscall_names());
    if (!nearest.empty()) {
      const std::string call = call_of(point.target);
      const std::string prefix = point.target.substr(0, point.target.size() - call.size());
      expansion.missing += "; did you mean syscalls:" + prefix + nearest + "?";
    }
  }
  return expansion;
}

AWL_ATTACHES(attach_syscall) {
  (void)context;
  FileDescriptor link(bpf_raw_tracepoint_open(nullptr, program));
  if (link) {
    attachments.add_link(std::move(link));
  } else if (!targets.empty()) {
    failures.push_back({&targets.front(), Error::from_errno("cannot attach to all system calls")});
  }
}

}  // namespace awl::runtime
