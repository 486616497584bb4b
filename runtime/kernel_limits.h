// What an older kernel lacks for an object, in words: the limits are known, the kernel's own answer
// is an error number, or a wrong result.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/object/description.h"
#include "runtime/object_file.h"

namespace awl::runtime {

// Whether the running kernel is at least this version; true when its version cannot be read.
bool is_kernel_since(int major, int minor);

// Refuses what would load and then give wrong results, or fail without a reason: keys that are too
// long (before Linux 5.11), aggregations that a program reads of all CPUs (before 5.19). Asks for
// the kernel's version alone, and only when the object has such a thing.
Status check_kernel_limits(ObjectFile &file, const object::Description &description);

// What the kernel lacks, when that is why the verifier refused a program: a helper, with the
// version that brought it. Empty: something else is wrong.
std::string find_missing_feature(const std::string &verifier_log);

}  // namespace awl::runtime
