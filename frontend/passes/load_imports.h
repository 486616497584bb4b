// Pass load_imports: puts the scripts that a script imports into its tree.
//
// `import` of a script, of a header (`.h`), of a BPF program (`.bpf.c`, `.bpf.o`) and of a folder
// with such files are resolved relative to the folder of the importing script and read once each,
// however often they are named. What an import defines comes before what the importing script has,
// so that its `begin` clauses run first. Folders that everybody may write to are refused: whoever
// can put a file there could run code as the user who traces.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Appends to `program` what its imports hold, theirs included; a header becomes an #include, BPF
// files go into `compilation.object_files`. Errors are diagnostics at the import statement.
void load_imports(Compilation &compilation, ast::Program &program);

}  // namespace awl::frontend
