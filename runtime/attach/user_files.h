// The binaries that attach points of user probes name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/attach/family.h"

namespace awl::runtime {

// Paths of the files that a point's `binary` means, without context.binary_root, which stands
// before them: one file; those that match a pattern; for "*" what the process of -p runs code
// from, or what any process here does; for none the program of -p or -c.
Result<std::vector<std::string>> find_user_files(const AttachContext &context,
                                                 const object::AttachPoint &point);

// What `expand` finds in each of those files, added up; why there is nothing is told. An error is
// one of a file that is named: what a pattern happens to match need not be a binary.
Result<Expansion> expand_user_files(
    const AttachContext &context, const object::AttachPoint &point,
    const std::function<Status(const std::string &path, Expansion &)> &expand);

}  // namespace awl::runtime
