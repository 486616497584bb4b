// Pass collect_parameters: the parameters that are given when the object is run.
//
// `$1` and getopt() are read when the program runs, never compiled in, so that one object serves
// all values. Fills CheckedProgram::parameters from their uses. A positional parameter that is used
// both as a number and as a string (`$1` and `str($1)`) has one entry of each kind.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Runs last: types tell how each parameter is used.
void collect_parameters(Compilation &compilation);

}  // namespace awl::frontend
