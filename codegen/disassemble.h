// The bytecode of an object as text, for `-d dis` and tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace awl::codegen {

// One line per instruction, headed by the program's name and section, with script lines from
// .BTF.ext where there are any.
Result<std::string> disassemble(const std::vector<uint8_t> &object);

}  // namespace awl::codegen
