// Control groups: the number the kernel knows a cgroup v2 directory by (bpf_get_current_cgroup_id).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace awl {

// The id of the cgroup at a path: absolute, or below the cgroup v2 mount.
Result<uint64_t> cgroup_id(const std::string &path);

// Where cgroup v2 is mounted: "/sys/fs/cgroup", "/sys/fs/cgroup/unified", or what
// /proc/self/mountinfo says.
Result<std::string> cgroup2_mount();

}  // namespace awl
