// Pass resolve_probes: what the attach points of each clause mean.
//
// Every attach point becomes a ProbeSpec by the record of its family (frontend/probes/families.h).
// Those of one clause that are of one family and give the same arguments share a program; a clause
// that has others is split, each part with a copy of the body.
#pragma once

#include "frontend/frontend.h"

namespace awl::frontend {

// Fills compilation.checked.programs; uses compilation.checked.config. Runs after expand_macros.
// Afterwards Program::clauses has one clause for every program, in the order of the script: copies
// where clauses were split, none where all attach points were left out.
void resolve_probes(Compilation &compilation, ast::Program &program, Target &target,
                    const Options &options);

}  // namespace awl::frontend
