// rawtracepoint: a tracepoint's arguments as the kernel passes them.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/pattern.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"

namespace awl::runtime {
namespace {

constexpr int kRawTracepointOpen = 17;  // BPF_RAW_TRACEPOINT_OPEN
struct RawTracepointOpen {
  uint64_t name;
  uint32_t program;
  uint32_t reserved;
  uint64_t cookie;  // since 6.10; the installed headers may lack it
};

// The kernel's BTF has a type `btf_trace_<name>` for every raw tracepoint.
Result<std::vector<std::string>> all_raw_tracepoints() {
  btf *types = btf__load_vmlinux_btf();
  if (types == nullptr) return Error::from_errno("cannot read the kernel's BTF");
  const std::string prefix = "btf_trace_";
  std::vector<std::string> names;
  for (uint32_t id = 1; id < btf__type_cnt(types); ++id) {
    const btf_type *type = btf__type_by_id(types, id);
    if (!btf_is_typedef(type)) continue;
    const char *name = btf__name_by_offset(types, type->name_off);
    if (name != nullptr && prefix.compare(0, prefix.size(), name, 0, prefix.size()) == 0) {
      names.emplace_back(name + prefix.size());
    }
  }
  btf__free(types);
  std::sort(names.begin(), names.end());
  return names;
}

std::string full_name(const object::AttachPoint &point, const std::string &event) {
  // Those that a pattern finds are the kernel's own: its BTF has no module's.
  const bool is_any = point.category.empty() || has_wildcard(point.category);
  return "rawtracepoint:" + (is_any ? "vmlinux" : point.category) + ":" + event;
}

FileDescriptor open_raw_tracepoint(const AttachContext &context, const std::string &name,
                                   int program, uint32_t cookie) {
  if (!context.has_raw_cookies) {
    return FileDescriptor(bpf_raw_tracepoint_open(name.c_str(), program));
  }
  RawTracepointOpen request{reinterpret_cast<uintptr_t>(name.c_str()),
                            static_cast<uint32_t>(program), 0, cookie};
  return FileDescriptor(
      static_cast<int>(syscall(SYS_bpf, kRawTracepointOpen, &request, sizeof request)));
}

}  // namespace

AWL_EXPANDS(expand_raw_tracepoint) {
  (void)context;
  Expansion expansion;
  if (!has_wildcard(point.target)) {
    // Whether it exists shows when it is attached.
    Target target = plain_target(point);
    target.name = full_name(point, point.target);
    target.event = point.target;
    expansion.targets.push_back(std::move(target));
    return expansion;
  }
  Result<std::vector<std::string>> names = all_raw_tracepoints();
  if (!names) return names.error();
  for (const std::string &name : *names) {
    if (!matches_pattern(point.target, name)) continue;
    if (!point.category.empty() && !matches_pattern(point.category, "vmlinux")) continue;
    Target target = plain_target(point);
    target.name = full_name(point, name);
    target.event = name;
    expansion.targets.push_back(std::move(target));
  }
  if (expansion.targets.empty()) {
    expansion.missing = "No matches for " + full_name(point, point.target);
  }
  return expansion;
}

AWL_ATTACHES(attach_raw_tracepoint) {
  for (const Target &target : targets) {
    FileDescriptor link = open_raw_tracepoint(context, target.event, program, target.probe_id);
    if (link) {
      attachments.add_link(std::move(link));
      continue;
    }
    const int code = errno;
    Error error = Error::from_errno("cannot attach the program", code);
    // bpf_probe_register() in kernel/trace/bpf_trace.c
    if (code == EINVAL) error.message = "the event has fewer arguments than the program reads";
    if (code == ENOENT) {
      error.message = "the kernel has no raw tracepoint " + target.event;
      Result<std::vector<std::string>> names = all_raw_tracepoints();
      const std::string nearest = names ? nearest_name(target.event, *names) : std::string();
      if (!nearest.empty()) error.message += "; did you mean " + nearest + "?";
    }
    failures.push_back({&target, error});
  }
}

}  // namespace awl::runtime
