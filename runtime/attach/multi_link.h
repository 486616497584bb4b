// One link for any number of kernel functions (kernel 5.18) or of places in a user binary (6.6):
// attaching and detaching a thousand at once costs little more than one.
//
// A session (6.10, 6.13) is such a link whose program runs at a function's entry and at its return:
// the two come as a pair or not at all, and what the entry's run keeps is the return's alone. A
// program is loaded for one kind of link.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace awl::runtime {

// The kinds, by the attach types of bpf(2) that programs are loaded with. kNone: no such link.
enum class MultiLink : uint32_t {
  kNone = 0,
  kKprobe = 42,         // BPF_TRACE_KPROBE_MULTI
  kUprobe = 48,         // BPF_TRACE_UPROBE_MULTI
  kKprobeSession = 56,  // BPF_TRACE_KPROBE_SESSION
  kUprobeSession = 57,  // BPF_TRACE_UPROBE_SESSION
};

inline bool is_session(MultiLink kind) {
  return kind == MultiLink::kKprobeSession || kind == MultiLink::kUprobeSession;
}

// Functions by name or by address, not both.
struct KprobeMultiRequest {
  std::vector<const char *> functions;  // each once: the kernel takes the first of a name
  std::vector<uint64_t> addresses;      // as the kernel's symbols have them: cookies go by them
  std::vector<uint64_t> cookies;        // one per function
  bool is_return = false;               // not for sessions
};

struct UprobeMultiRequest {
  std::string path;
  std::vector<uint64_t> offsets;  // in the file
  std::vector<uint64_t> cookies;  // one per offset
  // One per offset: where in the file the counter of listeners lies, 0: none. Empty: none at all.
  std::vector<uint64_t> semaphores;
  int pid = 0;             // 0: every process
  bool is_return = false;  // not for sessions
};

// Attaches a program that was loaded for the kind of link: to all, or to none.
Result<FileDescriptor> attach_multi(int program, MultiLink kind, const KprobeMultiRequest &request);
Result<FileDescriptor> attach_multi(int program, MultiLink kind, const UprobeMultiRequest &request);

// Whether the kernel has links of a kind, and those of uprobes filter by process as they should
// (6.6 to 6.9 filtered by thread). Loads an empty program to ask.
bool has_multi_link(MultiLink kind);

}  // namespace awl::runtime
