// watchpoint: the processor's debug registers, of which there are few, watch an address.
#include <dirent.h>
#include <linux/hw_breakpoint.h>

#include <cstdlib>

#include "runtime/attach/families.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

uint32_t breakpoint_type(const std::string &mode) {
  uint32_t type = HW_BREAKPOINT_EMPTY;
  for (const char c : mode) {
    type |= c == 'r' ? HW_BREAKPOINT_R : c == 'w' ? HW_BREAKPOINT_W : HW_BREAKPOINT_X;
  }
  return type;
}

Error explain(const Error &error) {
  switch (error.code) {
    case ENOSPC:
      return {"all of the processor's debug registers are in use", ENOSPC};
    case EINVAL:
      return {"the processor cannot watch this address, length and mode", EINVAL};
    case EOPNOTSUPP:
    case ENODEV:
    case ENOENT:
      return {"the kernel or the processor has no watchpoints", error.code};
    default:
      return error;
  }
}

// One event for each thread of a process (which hands it on to those that it starts), or for each
// CPU: the kernel has none for all of them. An address of a user's means the command of -c, one of
// the kernel's everybody.
std::vector<EventScope> scopes(const AttachContext &context, uint64_t address) {
  std::vector<EventScope> scopes;
  const bool is_kernel = address >> 63 != 0;
  const bool is_everybody = !context.pid || (is_kernel && context.child_pid);
  if (is_everybody) {
    for (const int cpu : online_cpus()) scopes.push_back({-1, cpu});
    return scopes;
  }
  if (DIR *folder = opendir(("/proc/" + std::to_string(*context.pid) + "/task").c_str())) {
    while (const dirent *entry = readdir(folder)) {
      if (const int thread = atoi(entry->d_name); thread > 0) scopes.push_back({thread, -1});
    }
    closedir(folder);
  }
  if (scopes.empty()) scopes.push_back({*context.pid, -1});
  return scopes;
}

Status attach_one(const AttachContext &context, const Target &target, int program,
                  Attachments &attachments) {
  for (const EventScope scope : scopes(context, target.point->address)) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_BREAKPOINT;
    attributes.bp_type = breakpoint_type(target.point->mode);
    attributes.bp_addr = target.point->address;
    // What is executed is watched by its first byte (perf_event_open(2)).
    attributes.bp_len = attributes.bp_type == HW_BREAKPOINT_X ? sizeof(long) : target.point->length;
    attributes.sample_period = 1;
    attributes.inherit = scope.pid >= 0;
    Result<AttachedEvent> attached =
        open_perf_event(context, attributes, scope, program, target.probe_id);
    const bool has_ended =
        !attached && attached.error().code == ESRCH && scope.pid >= 0 && scope.pid != *context.pid;
    if (has_ended) continue;
    if (!attached) return explain(attached.error());
    attachments.add_watchpoint(target.point->address, std::move(attached->link),
                               std::move(attached->event));
  }
  return ok();
}

}  // namespace

AWL_ATTACHES(attach_watchpoint) {
  for (const Target &target : targets) {
    Status status = attach_one(context, target, program, attachments);
    if (!status) failures.push_back({&target, status.error()});
  }
}

}  // namespace awl::runtime
