// Pass fold_constants: operations on literals become literals.
//
// So that `2 * 1024` is the small integer that it looks like, that builtins which want a constant
// accept any constant expression, and that overflow and division by zero are errors when they can
// be seen. Results are exact: they must fit into int64 or uint64.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Walks the programs of `compilation.checked`.
void fold_constants(Compilation &compilation);

}  // namespace awl::frontend
