// One link for any number of uprobes in a file (BPF_TRACE_UPROBE_MULTI, kernel 6.6): attaching
// and detaching hundreds at once costs as much as one.
//
// The installed headers may be older than that, so bpf(2)'s structures stand here
// (include/uapi/linux/bpf.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace awl::runtime {

// The attach type that a program has to be loaded with to be attached this way.
inline constexpr int kUprobeMultiAttachType = 48;  // BPF_TRACE_UPROBE_MULTI

struct UprobeMultiRequest {
  std::string path;
  std::vector<uint64_t> offsets;  // in the file
  std::vector<uint64_t> cookies;  // one per offset
  // One per offset: where in the file the counter of listeners lies, 0: none. Empty: none at all.
  std::vector<uint64_t> semaphores;
  int pid = 0;  // 0: every process
  bool is_return = false;
};

Result<FileDescriptor> attach_uprobe_multi(int program, const UprobeMultiRequest &request);

// Whether the kernel has it, and filters by process as it should (6.6 to 6.9 filtered by thread).
// Loads an empty program to ask.
bool has_uprobe_multi();

}  // namespace awl::runtime
