// The value of an expression that must be known when the script is compiled: array sizes, bitfield
// widths, enumerators, numbers of entries.
#pragma once

#include <cstdint>
#include <optional>

#include "frontend/ast/ast.h"
#include "frontend/types/type.h"

namespace awl::frontend {

// Null when the expression is not a constant integer: it holds a variable, a call, or a name that
// `types` does not know as a constant; or divides by zero. Wraps around like C's 64-bit integers.
std::optional<int64_t> evaluate_constant(TypeStore &types, const ast::Expr &expr);

}  // namespace awl::frontend
