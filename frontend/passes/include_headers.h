// Pass include_headers: what the C headers that a script names say about its names.
//
// A header of the kernel, such as <linux/sched.h>, is there for types that the kernel's BTF has as
// well, and more exactly. So where a script includes no others, and BTF knows all its names,
// headers and compiler are not needed and not looked for. Else clang reads all that the script
// includes (headers/read_headers.h).
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Sets `compilation.ask_headers`; before anything is parsed.
void answer_from_headers(Compilation &compilation, Target &target, const Options &options);

// Runs after load_imports. Adds the macros in use to `program.c_definitions`, before those of the
// script, and the types to the resolver of `compilation`. A kernel's header that cannot be read is
// no error by itself: it is kept in `compilation.unread_headers`.
void include_headers(Compilation &compilation, ast::Program &program, Target &target,
                     const Options &options);

// At the end of a compilation that failed: an error for each header that could not be read, as
// what is missing may be in there.
void report_unread_headers(Compilation &compilation);

}  // namespace awl::frontend
