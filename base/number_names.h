// Numbers that the kernel gives out, as text: errors, signals, system calls, as the architecture
// that this is compiled for has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace awl {

// From these numbers on, all texts are the one for "no such number".
inline constexpr size_t kErrorNumbers = 134, kSignalNumbers = 65, kSyscallNumbers = 512;

// A system call's name ("openat"); null: no such number.
const char *syscall_name(uint64_t number);

// As the language's strerror(), signal_name() and syscall_name() give them, with a text for
// numbers that mean nothing.
std::string error_text(int32_t number);    // "No such file or directory"
std::string signal_text(int32_t number);   // "Killed"
std::string syscall_text(int32_t number);  // "openat"

}  // namespace awl
