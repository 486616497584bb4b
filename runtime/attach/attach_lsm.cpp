// lsm: a program of a security hook. The loader has found the hook; the link is that of a raw
// tracepoint (bpf_tracing_prog_attach).
#include <bpf/bpf.h>

#include <cerrno>

#include "runtime/attach/families.h"
#include "runtime/attach/tracing_errors.h"

namespace awl::runtime {

AWL_ATTACHES(attach_lsm) {
  (void)context;
  for (const Target &target : targets) {
    if (!has_bpf_security_module()) {
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
      failures.push_back({&target, explain_tracing_error(target, errno)});
    }
  }
}

}  // namespace awl::runtime
