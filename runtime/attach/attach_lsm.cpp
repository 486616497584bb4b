// lsm: a program of a security hook. The loader has found the hook; the link is that of a raw
// tracepoint (bpf_tracing_prog_attach).
#include <bpf/bpf.h>

#include "base/file.h"
#include "runtime/attach/families.h"

namespace awl::runtime {
namespace {

// Whether "bpf" is among the security modules that are active; unknown: yes.
bool has_bpf_module() {
  Result<std::string> active = read_file("/sys/kernel/security/lsm", 4096);
  if (!active) return true;
  return ("," + *active + ",").find(",bpf") != std::string::npos;
}

}  // namespace

AWL_ATTACHES(attach_lsm) {
  (void)context;
  for (const Target &target : targets) {
    if (!has_bpf_module()) {
      failures.push_back({&target,
                          {"the kernel calls no programs from its security hooks: bpf is not in "
                           "the list lsm= that it was booted with",
                           0}});
      continue;
    }
    FileDescriptor link(bpf_raw_tracepoint_open(nullptr, program));
    if (link) {
      attachments.add_link(std::move(link));
    } else {
      failures.push_back({&target, Error::from_errno("cannot attach the program")});
    }
  }
}

}  // namespace awl::runtime
