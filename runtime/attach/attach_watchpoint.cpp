// watchpoint: the processor's debug registers, of which there are few, watch an address.
#include <linux/hw_breakpoint.h>

#include "base/folder.h"
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

std::vector<EventScope> everywhere() {
  std::vector<EventScope> scopes;
  for (const int cpu : online_cpus()) scopes.push_back({-1, cpu});
  return scopes;
}

// One event for each thread of a process, which hands it on to those that it starts: the kernel has
// none for all of them.
std::vector<EventScope> threads_of(int pid) {
  std::vector<EventScope> scopes;
  for (const int thread : numbers_in_folder("/proc/" + std::to_string(pid) + "/task")) {
    scopes.push_back({thread, -1});
  }
  if (scopes.empty()) scopes.push_back({pid, -1});
  return scopes;
}

Status watch(const AttachContext &context, const Target &target, int program, uint64_t address,
             const std::vector<EventScope> &scopes, Attachments &attachments) {
  Status ended = ok();
  bool is_attached = false;
  for (const EventScope scope : scopes) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_BREAKPOINT;
    attributes.bp_type = breakpoint_type(target.point->mode);
    attributes.bp_addr = address;
    // What is executed is watched by its first byte (perf_event_open(2)).
    attributes.bp_len = attributes.bp_type == HW_BREAKPOINT_X ? sizeof(long) : target.point->length;
    attributes.sample_period = 1;
    attributes.inherit = scope.pid >= 0;
    Result<FileDescriptor> event = open_perf_event(attributes, scope);
    if (!event && event.error().code == ESRCH && scope.pid >= 0) {
      ended = event.error();  // this thread
      continue;
    }
    if (!event) return explain(event.error());
    Result<AttachedEvent> attached =
        start_perf_event(context, std::move(*event), program, target.probe_id);
    if (!attached) return explain(attached.error());
    is_attached = true;
    attachments.add_watchpoint(address, std::move(attached->link), std::move(attached->event));
  }
  return is_attached ? ok() : ended;
}

}  // namespace

Status watch_address(const AttachContext &context, const Target &target, int program, int pid,
                     uint64_t address, Attachments &attachments) {
  return watch(context, target, program, address, threads_of(pid), attachments);
}

// An address of a user's means the command of -c, one of the kernel's everybody.
AWL_ATTACHES(attach_watchpoint) {
  for (const Target &target : targets) {
    if (!target.point->has_address) continue;  // when its function has been called
    const uint64_t address = target.point->address;
    const bool is_kernel = address >> 63 != 0;
    const bool is_everybody = !context.pid || (is_kernel && context.child_pid);
    Status status = watch(context, target, program, address,
                          is_everybody ? everywhere() : threads_of(*context.pid), attachments);
    if (!status) failures.push_back({&target, status.error()});
  }
}

}  // namespace awl::runtime
