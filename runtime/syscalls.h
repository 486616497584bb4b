// System calls by the names that the kernel's tracepoints have: mostly those of unistd.h, but
// some are named after the function that serves the call ("newfstat" is fstat).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace awl::runtime {

// The number of the system call behind `sys_enter_<name>`; -1: none on this architecture.
int32_t syscall_number(const std::string &name);

// The number of a system call by the name of its manual page; -1: none on this architecture.
int32_t call_number(const std::string &name);

// The same names of all.
std::vector<std::string> call_names();

// The names of all of them, as tracepoints have them.
std::vector<std::string> syscall_names();

}  // namespace awl::runtime
