// Puts the bodies of `#define`s in the place of their names. A part of collect_c_definitions.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Names are replaced in clauses, macros, map declarations and C definitions, as trees: a body that
// is an expression needs no parentheses. As in C, a name is not replaced inside its own body.
void substitute_defines(Compilation &compilation, ast::Program &program);

}  // namespace awl::frontend
