// Pass resolve_variables: ties every scratch variable to its declaration.
//
// A variable lives from its `let` or first assignment to the end of the block that holds it. A
// name cannot be declared again where an outer one is visible. The declarations are owned by the
// clause.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Walks the programs of `compilation.checked`. Afterwards Variable::decl is set, unless an error
// was emitted.
void resolve_variables(Compilation &compilation);

}  // namespace awl::frontend
