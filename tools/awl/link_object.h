// The objects that a script imports become part of its own, by libbpf's linker.
//
// Here, and not in codegen, since it is the only stage of compilation that needs libbpf.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "frontend/checked_program.h"

namespace awl::tools {

// One object of both. The script's own comes first, so that what its `.awl` section says of places
// in sections stays right; the linker drops that section, and it is put back.
Result<std::vector<uint8_t>> link_object(const std::vector<uint8_t> &own,
                                         const std::vector<frontend::ImportedObject> &imported);

}  // namespace awl::tools
