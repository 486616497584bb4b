// The value of an expression that must be known when the script is compiled: array sizes, bitfield
// widths, enumerators, numbers of entries, conditions of `comptime`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "frontend/ast/ast.h"
#include "frontend/types/type.h"

namespace awl::frontend {

// The value of a parameter; null where only the run will tell.
using ParameterValue =
    std::function<std::optional<int64_t>(const ast::PositionalParameter &parameter)>;

// Null when the expression is not a constant integer: it holds a variable, a call, or a name that
// `types` does not know as a constant; or divides by zero. Wraps around like C's 64-bit integers.
// Without `parameter` no parameter is known. Sizes, offsets and questions about types are known
// where the type check has seen them.
std::optional<int64_t> evaluate_constant(TypeStore &types, const ast::Expr &expr,
                                         const ParameterValue &parameter = nullptr);

}  // namespace awl::frontend
