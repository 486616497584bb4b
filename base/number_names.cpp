// Numbers that the kernel gives out, as text: errors, signals, system calls.
#include "base/number_names.h"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

namespace awl {
namespace {

struct NumberedName {
  uint32_t number;
  const char *name;
};

constexpr NumberedName kSyscalls[] = {
#define X(name) {__NR_##name, #name},
#include "base/syscall_names.inc"
#undef X
};

// Younger than many systems' headers; every architecture has them under these numbers.
constexpr NumberedName kYoungSyscalls[] = {
    {451, "cachestat"},         {452, "fchmodat2"},        {453, "map_shadow_stack"},
    {454, "futex_wake"},        {455, "futex_wait"},       {456, "futex_requeue"},
    {457, "statmount"},         {458, "listmount"},        {459, "lsm_get_self_attr"},
    {460, "lsm_set_self_attr"}, {461, "lsm_list_modules"}, {462, "mseal"},
    {463, "setxattrat"},        {464, "getxattrat"},       {465, "listxattrat"},
    {466, "removexattrat"},     {467, "open_tree_attr"},   {468, "file_getattr"},
    {469, "file_setattr"},
#ifdef __x86_64__
    {335, "uretprobe"},         {336, "uprobe"},
#endif
};

// Where the kernel's headers (include/uapi/asm-generic/errno*.h) word it otherwise than the C
// library: the kernel's words, which say what a kernel function means by it.
constexpr NumberedName kKernelErrors[] = {
    {EIO, "I/O error"},
    {EBADF, "Bad file number"},
    {EAGAIN, "Try again (operation would block)"},
    {ENOMEM, "Out of memory"},
    {EXDEV, "Cross-device link"},
    {ENFILE, "File table overflow"},
    {ENOTTY, "Not a typewriter"},
    {EDOM, "Math argument out of domain of func"},
    {ERANGE, "Math result not representable"},
    {EDEADLK, "Resource deadlock would occur"},
    {ENOLCK, "No record locks available"},
    {ENOSYS, "Invalid system call number"},
    {ELOOP, "Too many symbolic links encountered"},
    {EBADMSG, "Not a data message"},
    {EILSEQ, "Illegal byte sequence"},
    {EOPNOTSUPP, "Operation not supported on transport endpoint"},
    {ENETRESET, "Network dropped connection because of reset"},
    {EDQUOT, "Quota exceeded"},
    {ECANCELED, "Operation Canceled"},
};

const std::array<const char *, kSyscallNumbers> &syscall_table() {
  static const std::array<const char *, kSyscallNumbers> kTable = [] {
    std::array<const char *, kSyscallNumbers> table{};
    for (const NumberedName &entry : kYoungSyscalls) table[entry.number] = entry.name;
    for (const NumberedName &entry : kSyscalls) {
      if (entry.number < kSyscallNumbers) table[entry.number] = entry.name;
    }
    return table;
  }();
  return kTable;
}

}  // namespace

const char *syscall_name(uint64_t number) {
  return number < kSyscallNumbers ? syscall_table()[number] : nullptr;
}

std::string syscall_text(int32_t number) {
  const char *name = number < 0 ? nullptr : syscall_name(static_cast<uint64_t>(number));
  return name ? name : "Unknown syscall";
}

std::string error_text(int32_t number) {
  for (const NumberedName &error : kKernelErrors) {
    if (number == static_cast<int32_t>(error.number)) return error.name;
  }
  const char *text = strerrordesc_np(number);
  return text ? text : "Unknown error";
}

std::string signal_text(int32_t number) {
  constexpr int kFirstRealTime = 34;  // the C library keeps 32 and 33 for itself
  if (number < 0 || number >= static_cast<int32_t>(kSignalNumbers)) return "N/A";
  if (number >= kFirstRealTime) return fmt::format("Real-time signal {}", number - kFirstRealTime);
  const char *text = sigdescr_np(number);
  return text ? text : fmt::format("Unknown signal {}", number);
}

}  // namespace awl
