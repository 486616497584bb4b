// Pass import_objects: functions of the BPF objects that a script imports.
//
// `import "x.bpf.c"` is compiled by clang, `import "x.bpf.o"` is taken as it is; the functions that
// an object's BTF describes can then be called by their names, with the types it gives them. The
// objects become part of the script's own when it is linked (tools/awl/link_object.h). Types that
// neither script nor kernel define are found in them as well.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Runs after load_imports, which has found the files (`compilation.object_files`).
void import_objects(Compilation &compilation, const Options &options);

}  // namespace awl::frontend
