// System calls by the names of their manual pages, with the parameters of the kernel's functions.
//
// The names and types are those of SYSCALL_DEFINE in the kernel, as its tracepoints show them; they
// are part of its ABI in all but name and do not differ between kernels. That they stand here lets
// a script be compiled without root and without tracefs; calls newer than the table are looked up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/probes/probe.h"
#include "frontend/target/target.h"

namespace awl::frontend {

// How the manual pages call what the kernel's tracepoints call `newstat`, `sendfile64` and the
// like.
std::string canonical_syscall(const std::string &name);
// The other way: the name in `sys_enter_NAME`.
std::string syscall_tracepoint(const std::string &name);

// The probe that fires with a tracepoint at the end of a system call, "syscall:read:exit"; empty
// for what is no such tracepoint.
std::string syscall_exit_of(const ProbeSpec &tracepoint);

// Whether the call whose end such a tracepoint is has a parameter of that name.
bool has_syscall_parameter(const ProbeSpec &tracepoint, const std::string &name);

struct SyscallParameter {
  std::string type_text, name;
};
// False: the table does not have the call.
bool find_syscall_parameters(std::string_view name, std::vector<SyscallParameter> *out);
// Of the table, or of the kernel's tracepoint where the table does not have the call.
Result<std::vector<SyscallParameter>> syscall_parameters(Target &target, const std::string &name);
// The names in the table that match a shell pattern, sorted.
std::vector<std::string> matching_syscalls(const std::string &pattern);

}  // namespace awl::frontend
