#include "runtime/attach/tracing_errors.h"

#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace awl::runtime {
namespace {

constexpr int kNotSupported =
    524;  // ENOTSUPP of include/linux/errno.h, which no libc has a name for

Error explain_hook(const std::string &hook, int code) {
  switch (code) {
    case EPERM:
    case EACCES:
      return {
          "this kernel calls no programs from its security hooks: it was built without "
          "CONFIG_BPF_LSM, or is locked down",
          code};
    case EINVAL:
    case ENOENT:
      return {"no program may be called from the security hook " + hook, code};
    default:
      return Error::from_errno("cannot attach to the security hook " + hook, code);
  }
}

}  // namespace

Error explain_tracing_error(const Target &target, int code) {
  const std::string &name = target.event.empty() ? target.point->target : target.event;
  if (target.point->family == "lsm") return explain_hook(name, code);
  const bool is_entry = target.point->family == "fentry";
  const std::string instead = (is_entry ? "kprobe:" : "kretprobe:") + name;
  switch (code) {
    case EPERM:
    case EACCES:
      return {
          "this kernel lets no program be called from its functions: it was built without "
          "function tracing, or is locked down. Tracepoints may do (awl -l 'rawtracepoint:*')",
          code};
    case EINVAL:
    case ENOENT:
      return {"the kernel lets no program be called from " + name +
                  ": it is notrace, was inlined, or programs themselves need it. " + instead +
                  " may work",
              code};
    case EBUSY:
      return {
          "the first instruction of " + name +
              " is taken: by live patching, by another tracer, or as programs run through it. " +
              instead + " may work",
          code};
    case E2BIG:
      return {"as many programs as the kernel allows are attached to " + name + " already", code};
    case EOPNOTSUPP:
    case kNotSupported:
      return {
          "this kernel cannot call programs from its functions on this architecture, or not "
          "from functions with such arguments. " +
              instead + " may work",
          code};
    default:
      return Error::from_errno("the kernel does not let it be traced", code);
  }
}

bool has_bpf_security_module() {
  Result<std::string> active = read_file("/sys/kernel/security/lsm", 4096);
  if (!active) return true;
  return ("," + *active + ",").find(",bpf") != std::string::npos;
}

}  // namespace awl::runtime
