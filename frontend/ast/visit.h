// Traversal, written once: what the children of a node are.
#pragma once

#include <functional>

#include "frontend/ast/ast.h"

namespace awl::frontend::ast {

// Calls one of the two functions for every direct child expression or statement of `node`, in the
// order of evaluation. The child pointers are passed by reference so that a pass can put another
// node in their place. Type specifications are not entered but for the expression of a typeof or
// an array size. Children that are null are left out.
void for_each_child(Node &node, const std::function<void(Expr *&)> &on_expr,
                    const std::function<void(Stmt *&)> &on_stmt);

// Calls `fn` for the node and everything below it, parents first.
void walk(Node &node, const std::function<void(Node &)> &fn);

}  // namespace awl::frontend::ast
