#include "runtime/syscalls.h"

#include <cstring>

#include "base/number_names.h"
#include "runtime/object/description.h"

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

// Calls newer than the headers awl may be built with; their numbers are the same on all
// architectures but for the two of x86.
struct NewerCall {
  const char *name;
  int32_t number;
};
constexpr NewerCall kNewerCalls[] = {
#ifdef __x86_64__
    {"uretprobe", 335},         {"uprobe", 336},
#endif
    {"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
    {"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
    {"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
    {"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
    {"file_setattr", 469},      {"listns", 470},
};

}  // namespace

int32_t syscall_number(const std::string &name) {
  std::string wanted = name;
  for (const Alias &alias : kAliases) {
    if (name == alias.tracepoint) wanted = alias.name;
    if (name == alias.name) return -1;
  }
  return call_number(wanted);
}

int32_t call_number(const std::string &name) {
  for (uint32_t number = 0; number < object::kSyscallTableSize; ++number) {
    const char *candidate = syscall_name(number);
    if (candidate != nullptr && name == candidate) return static_cast<int32_t>(number);
  }
  for (const NewerCall &call : kNewerCalls) {
    if (name == call.name) return call.number;
  }
  return -1;
}

std::vector<std::string> syscall_names() {
  std::vector<std::string> names = call_names();
  for (std::string &name : names) {
    for (const Alias &alias : kAliases) {
      if (name == alias.name) name = alias.tracepoint;
    }
  }
  return names;
}

std::vector<std::string> call_names() {
  std::vector<std::string> names;
  for (uint32_t number = 0; number < object::kSyscallTableSize; ++number) {
    const char *name = syscall_name(number);
    if (name != nullptr) names.emplace_back(name);
  }
  for (const NewerCall &call : kNewerCalls) {
    if (syscall_name(static_cast<uint64_t>(call.number)) == nullptr) names.emplace_back(call.name);
  }
  return names;
}

}  // namespace awl::runtime
