// Paths of control groups by their id, in every hierarchy that is mounted.
#pragma once

#include <cstdint>
#include <string>

namespace awl::runtime {

// "unified:/a/b,cpu:/c": the directories with this inode number, version 2 first, then version 1
// by name. Only hierarchies whose name matches the shell pattern `filter` (empty: all).
std::string find_cgroup_paths(uint64_t id, const std::string &filter);

}  // namespace awl::runtime
