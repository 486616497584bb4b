// Pass expand_macros: calls of the language's macros become block expressions.
//
// A macro is chosen by its name, the number of its parameters and their kinds: `$x` wants a scratch
// variable, `@m` a map, a bare name any expression. A macro of the script beats one of the same
// signature in the standard library; the standard library itself never sees the script's. What the
// body declares gets names of its own (`$x` becomes `$x:1`, which nobody can write), so that
// it cannot meet the caller's variables; what it did not get as an argument it may not touch.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Afterwards no clause of `program` holds a call of a macro. Files of the standard library
// (stdlib/standard_library.h) are parsed as their macros are met.
void expand_macros(Compilation &compilation, ast::Program &program);

// Whether a block is the body of one of the script's macros: it stands where that was defined, and
// its span where it was called.
bool is_expansion(const ast::BlockExpr &node);

}  // namespace awl::frontend
