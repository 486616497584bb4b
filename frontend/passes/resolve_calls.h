// Pass resolve_calls: what each name that is called or used as a value stands for.
//
// Afterwards every Call names a builtin (find_builtin) with a fitting number of arguments, and
// every Identifier a builtin value (`pid`; `pid()` has become that, too) or an enumerator
// (Identifier::constant is set). Maps that are arguments as a whole, as in `print(@x)`, have become
// ast::Map, and `delete(@x[k])` has become `delete(@x, k)`. Words such as the `boot` of
// `nsecs(boot)` have become string literals.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Walks the programs of `compilation.checked`.
void resolve_calls(Compilation &compilation, Target &target, const Options &options);

}  // namespace awl::frontend
