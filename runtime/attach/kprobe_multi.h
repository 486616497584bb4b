// One link for any number of kernel functions (BPF_TRACE_KPROBE_MULTI, kernel 5.18): attaching and
// detaching a thousand at once costs little more than one.
//
// bpf(2)'s structures stand here, as the installed headers may be older
// (include/uapi/linux/bpf.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace awl::runtime {

// The attach type that a program has to be loaded with to be attached this way.
inline constexpr int kKprobeMultiAttachType = 42;    // BPF_TRACE_KPROBE_MULTI
inline constexpr int kKprobeSessionAttachType = 56;  // BPF_TRACE_KPROBE_SESSION: entry and return

// Functions by name or by address, not both.
struct KprobeMultiRequest {
  std::vector<const char *> functions;  // each once: the kernel takes the first of a name
  std::vector<uint64_t> addresses;      // as the kernel's symbols have them: cookies go by them
  std::vector<uint64_t> cookies;        // one per function
  bool is_return = false;
};

// Attaches to all of the functions or to none.
Result<FileDescriptor> attach_kprobe_multi(int program, const KprobeMultiRequest &request);

// Whether the kernel has it, or sessions. Loads an empty program to ask.
bool has_kprobe_multi(int attach_type = kKprobeMultiAttachType);

}  // namespace awl::runtime
