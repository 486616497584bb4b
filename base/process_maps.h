// What a process has mapped, as /proc/PID/maps tells it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace awl {

struct ProcessMap {
  uint64_t start = 0, end = 0;  // addresses
  uint64_t offset = 0;          // in the file
  uint32_t major = 0, minor = 0;
  uint64_t inode = 0;
  // As the process sees it; empty: none. What is no file has a name such as "[heap]", and a file
  // that is gone ends in " (deleted)".
  std::string_view path;
};

// The text of /proc/PID/maps; empty: there is no such process, or it has mapped nothing.
std::string read_process_maps(uint32_t pid);

// Calls `visit` for each mapping in it that code can be run from. The path points into the text.
void visit_executable_maps(std::string_view text,
                           const std::function<void(const ProcessMap &)> &visit);

}  // namespace awl
