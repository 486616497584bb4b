// What the families' files define for the table in family.cpp. The meaning of each function is
// that of the members of Family.
#pragma once

#include <vector>

#include "runtime/attach/family.h"

namespace awl::runtime {

#define AWL_EXPANDS(name) \
  Result<Expansion> name(const AttachContext &context, const object::AttachPoint &point)
#define AWL_ATTACHES(name)                                                                 \
  void name(const AttachContext &context, int program, const std::vector<Target> &targets, \
            Attachments &attachments, std::vector<AttachFailure> &failures)

AWL_EXPANDS(expand_plain);  // the attach point is its only target
AWL_EXPANDS(expand_self);
AWL_EXPANDS(expand_software);
AWL_EXPANDS(expand_hardware);
AWL_EXPANDS(expand_tracepoint);
AWL_EXPANDS(expand_syscall);
AWL_EXPANDS(expand_raw_tracepoint);
AWL_EXPANDS(expand_uprobe);
AWL_EXPANDS(expand_usdt);
AWL_EXPANDS(expand_kprobe);
AWL_EXPANDS(expand_fentry);
AWL_EXPANDS(expand_interface);
AWL_EXPANDS(expand_cgroup);

AWL_ATTACHES(attach_interval);
AWL_ATTACHES(attach_profile);
AWL_ATTACHES(attach_software);
AWL_ATTACHES(attach_hardware);
AWL_ATTACHES(attach_tracepoint);
AWL_ATTACHES(attach_syscall);
AWL_ATTACHES(attach_raw_tracepoint);
AWL_ATTACHES(attach_iter);
AWL_ATTACHES(attach_lsm);
AWL_ATTACHES(attach_uprobe);
AWL_ATTACHES(attach_uretprobe);
AWL_ATTACHES(attach_usdt);
AWL_ATTACHES(attach_kprobe);
AWL_ATTACHES(attach_kretprobe);
AWL_ATTACHES(attach_fentry);
AWL_ATTACHES(attach_watchpoint);
// Watches an address for all threads of a process, as the target's attach point says.
Status watch_address(const AttachContext &context, const Target &target, int program, int pid,
                     uint64_t address, Attachments &attachments);
AWL_ATTACHES(attach_xdp);
AWL_ATTACHES(attach_tc);
AWL_ATTACHES(attach_cgroup);

}  // namespace awl::runtime
