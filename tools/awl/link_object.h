// The objects that a script imports become part of its own, by libbpf's linker.
//
// Here, and not in codegen, since it is the only stage of compilation that needs libbpf.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "frontend/checked_program.h"

namespace awl::tools {

// One ELF file of all. The script's own comes first, so that what its description says of places in
// sections stays right.
Result<std::vector<uint8_t>> link_objects(const std::vector<uint8_t> &own,
                                          const std::vector<frontend::ImportedObject> &imported);

}  // namespace awl::tools
