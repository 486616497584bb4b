// Why the kernel lets no program be tied to one of its functions or security hooks, in words.
#pragma once

#include "base/result.h"
#include "runtime/attach/family.h"

namespace awl::runtime {

// `code`: what BPF_PROG_LOAD or BPF_LINK_CREATE failed with for a target of fentry, fexit or lsm.
Error explain_tracing_error(const Target &target, int code);

// Whether the kernel was booted with programs among its security modules (lsm=…,bpf).
bool has_bpf_security_module();

}  // namespace awl::runtime
