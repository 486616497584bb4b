// What a tracepoint's record holds.
#pragma once

#include <string>

#include "frontend/target/target.h"
#include "frontend/types/type.h"

namespace awl::frontend {

// From the target's tracefs. Where that may not be read, as by a user who compiles without root: of
// system calls from our own table, of others from the struct that the kernel has for them in BTF,
// which is named after the event unless several events share one. The loader puts in the offsets
// that hold where it runs.
Result<TracepointFormat> find_tracepoint_format(Target &target, TypeStore &types,
                                                const std::string &category,
                                                const std::string &event);

}  // namespace awl::frontend
