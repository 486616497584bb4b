#include "runtime/attach/family.h"

#include "runtime/attach/families.h"

namespace awl::runtime {
namespace {

// The table of families. Adding one is a record here and a file beside.
constexpr Family kFamilies[] = {
    {"begin", CookieKind::kNone, expand_plain, nullptr},
    {"end", CookieKind::kNone, expand_plain, nullptr},
    {"self", CookieKind::kNone, expand_self, nullptr},
    {"interval", CookieKind::kPerf, expand_plain, attach_interval},
    {"profile", CookieKind::kPerf, expand_plain, attach_profile},
    {"software", CookieKind::kPerf, expand_software, attach_software},
    {"hardware", CookieKind::kPerf, expand_hardware, attach_hardware},
    {"tracepoint", CookieKind::kPerf, expand_tracepoint, attach_tracepoint},
    {"rawtracepoint", CookieKind::kRawTracepoint, expand_raw_tracepoint, attach_raw_tracepoint},
    {"iter", CookieKind::kNone, expand_plain, attach_iter},
    {"lsm", CookieKind::kNone, expand_plain, attach_lsm},
    {"test", CookieKind::kNone, expand_plain, nullptr},
    {"bench", CookieKind::kNone, expand_plain, nullptr},
    {"uprobe", CookieKind::kPerf, expand_uprobe, attach_uprobe},
    {"uretprobe", CookieKind::kPerf, expand_uprobe, attach_uretprobe},
    {"usdt", CookieKind::kPerf, expand_usdt, attach_usdt},
    {"kprobe", CookieKind::kPerf, expand_kprobe, attach_kprobe},
    {"kretprobe", CookieKind::kPerf, expand_kprobe, attach_kretprobe},
    {"fentry", CookieKind::kTracing, expand_fentry, attach_fentry},
    {"fexit", CookieKind::kTracing, expand_fentry, attach_fentry},
    {"watchpoint", CookieKind::kPerf, expand_plain, attach_watchpoint},
    {"xdp", CookieKind::kNone, expand_interface, attach_xdp},
    {"tc", CookieKind::kNone, expand_interface, attach_tc},
    {"cgroup_skb", CookieKind::kNone, expand_cgroup, attach_cgroup},
    {"sock_ops", CookieKind::kNone, expand_cgroup, attach_cgroup},
    {"cgroup_sock_addr", CookieKind::kNone, expand_cgroup, attach_cgroup},
};

// System call tracepoints that one program on a raw tracepoint serves; see attach_syscall.cpp.
constexpr Family kSyscallFamily = {"tracepoint", CookieKind::kNone, expand_syscall, attach_syscall};

}  // namespace

const Family *find_family(const std::string &name) {
  for (const Family &family : kFamilies) {
    if (name == family.name) return &family;
  }
  return nullptr;
}

const Family *find_family(const object::Program &program) {
  if (program.attach_points.empty()) return nullptr;
  if (!program.dispatch.empty()) return &kSyscallFamily;
  return find_family(program.attach_points.front().family);
}

Target plain_target(const object::AttachPoint &point) {
  Target target;
  target.name = point.name;
  target.point = &point;
  return target;
}

}  // namespace awl::runtime
