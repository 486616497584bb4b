// Binaries that a traced process does not run: replaced since it started (an upgrade leaves the old
// file mapped, without a name), another version, not loaded yet. Probes in them see nothing.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan.h"

namespace awl::runtime {

// A warning for each file that user probes of the plan lie in and that the process of -p has not
// mapped, at the first of them. `root`: of the process, see AttachContext::binary_root.
std::vector<Problem> find_unmapped_binaries(const Plan &plan, int pid, const std::string &root);

}  // namespace awl::runtime
