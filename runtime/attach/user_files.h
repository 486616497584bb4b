// The binaries that attach points of user probes name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/attach/family.h"

namespace awl::runtime {

// Paths of the files that a point's `binary` means, without context.binary_root, which stands
// before them: one file; those that match a pattern; for "*" what the process of -p runs code
// from, or what any process here does.
Result<std::vector<std::string>> find_user_files(const AttachContext &context,
                                                 const object::AttachPoint &point);

}  // namespace awl::runtime
