// Pass collect_c_definitions: the C part at the top of a script.
//
// Structs, unions, enums and typedefs go into the TypeStore, laid out as the C ABI lays them out.
// A `#define` whose body is an expression is put in the place of its name wherever the script uses
// it, as a tree, with its parameters replaced: a constant then has the type its literal has.
// What headers define is there already (include_headers.h).
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Runs after load_imports and before expand_macros.
void collect_c_definitions(Compilation &compilation, ast::Program &program);

}  // namespace awl::frontend
