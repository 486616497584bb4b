// This host, with the user binaries of a process that has other files than we.
#pragma once

#include <memory>
#include <string>

#include "frontend/target/target.h"

namespace awl::frontend {

// `root` is put before the paths of binaries ("/proc/PID/root", base/process_root.h); may be empty.
// `traceable_functions` names a file in the place of the kernel's available_filter_functions; empty:
// that one.
std::unique_ptr<Target> make_live_target(const std::string &root,
                                         const std::string &traceable_functions);

}  // namespace awl::frontend
