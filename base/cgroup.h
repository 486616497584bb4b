// Control groups: the number the kernel knows a cgroup v2 directory by (bpf_get_current_cgroup_id).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace awl {

// The folder of the cgroup that is named by a path: absolute, or below the cgroup v2 mount.
Result<std::string> cgroup_path(const std::string &path);

// The id of the cgroup at such a path.
Result<uint64_t> cgroup_id(const std::string &path);

// Where cgroup v2 is mounted: "/sys/fs/cgroup", "/sys/fs/cgroup/unified", or what
// /proc/self/mountinfo says.
Result<std::string> cgroup2_mount();

}  // namespace awl
