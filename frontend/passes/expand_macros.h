// Pass expand_macros: calls of the language's macros become block expressions.
//
// A macro is chosen by its name, the number of its parameters and their kinds: `$x` wants a scratch
// variable, `@m` a map, a bare name any expression. A macro of the script beats one of the same
// signature in the standard library; the standard library itself never sees the script's. What the
// body declares gets names of its own (`$x` becomes `$x:1`, which nobody can write), so that
// it cannot meet the caller's variables; what it did not get as an argument it may not touch.
#pragma once

#include <vector>

#include "frontend/frontend.h"

namespace awl::frontend {

// `standard_library` are the macros of the standard library, in any number; `program.macros` those
// of the script. Afterwards no clause of `program` holds a call of a macro.
void expand_macros(Compilation &compilation, ast::Program &program,
                   const std::vector<ast::Macro *> &standard_library = {});

}  // namespace awl::frontend
