// Where the files of another process are.
#pragma once

#include <string>

namespace awl {

// "/proc/PID/root" when the process has another root than ours (a mount namespace of its own, or
// chroot), to be put before its paths; else empty.
std::string process_root(int pid);

}  // namespace awl
