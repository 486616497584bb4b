// Functions of a user binary: parameters, their types, and where they are when a function is
// entered.
//
// Where they are is what the unit says for the first instruction, when that is a register. Code
// that is not optimised says where they lie after the prologue; then it is the rule of the ABI
// (System V for x86_64, AAPCS64) that tells, for functions of C and of C++ alike.
#pragma once

#include <cstdint>
#include <optional>

#include "frontend/target/dwarf_types.h"
#include "frontend/target/target.h"

namespace awl::frontend {

// The function that begins at an address (st_value of its symbol); null: none is described.
std::optional<UserFunction> find_user_function(DwarfTypes &types, uint64_t address);

}  // namespace awl::frontend
