#include "runtime/syscalls.h"

#include <cstring>

#include "runtime/object/description.h"
#include "runtime/symbols/symbols.h"

namespace awl::runtime {
namespace {

// Where the kernel's function, and so the tracepoint, is not named as unistd.h names the call
// (arch/x86/entry/syscalls/syscall_64.tbl).
struct Alias {
  const char *tracepoint;
  const char *name;
};
constexpr Alias kAliases[] = {
    {"newstat", "stat"},   {"newfstat", "fstat"},      {"newlstat", "lstat"},
    {"newuname", "uname"}, {"sendfile64", "sendfile"}, {"umount", "umount2"},
};

}  // namespace

int32_t syscall_number(const std::string &name) {
  std::string wanted = name;
  for (const Alias &alias : kAliases) {
    if (name == alias.tracepoint) wanted = alias.name;
    if (name == alias.name) return -1;
  }
  for (uint32_t number = 0; number < object::kSyscallTableSize; ++number) {
    const char *candidate = syscall_name(number);
    if (candidate != nullptr && wanted == candidate) return static_cast<int32_t>(number);
  }
  return -1;
}

std::vector<std::string> syscall_names() {
  std::vector<std::string> names;
  for (uint32_t number = 0; number < object::kSyscallTableSize; ++number) {
    const char *name = syscall_name(number);
    if (name == nullptr) continue;
    names.emplace_back(name);
    for (const Alias &alias : kAliases) {
      if (names.back() == alias.name) names.back() = alias.tracepoint;
    }
  }
  return names;
}

}  // namespace awl::runtime
