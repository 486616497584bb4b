// The names of the maps that a script gives values to.
//
// The whole tree counts, also clauses whose probes are not there on this machine, and branches that
// are never taken: what stands there was meant.
#pragma once

#include <set>
#include <string>

#include "frontend/ast/ast.h"

namespace awl::frontend {

std::set<std::string> assigned_maps(ast::Program &program);

}  // namespace awl::frontend
