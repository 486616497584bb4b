// Copies of trees, for macros, `#define`s and clauses that are split.
#pragma once

#include <functional>

#include "frontend/ast/ast.h"

namespace awl::frontend::ast {

// A hook that may put another node in the place of the copy of an expression: called with each
// original before it is copied; null: copy as usual. What stands for a Variable (of a `let` or a
// loop) must be a Variable, what stands for a Map a Map or a MapAccess without key.
using CloneHook = std::function<Expr *(const Expr &)>;
// The same for types as written.
using TypeCloneHook = std::function<TypeSpec *(const TypeSpec &)>;

// Copies everything below a node. Types and resolved declarations (`type`, `Variable::decl`) are
// not copied: clone before the passes that set them.
class Cloner {
 public:
  explicit Cloner(Context &context, CloneHook hook = nullptr, TypeCloneHook type_hook = nullptr);
  Expr *clone(const Expr *expr);  // null stays null
  Stmt *clone(const Stmt *stmt);
  TypeSpec *clone(const TypeSpec *spec);
  Block *clone(const Block *block);
  // The clause with its predicate and body; attach points are shared with the original.
  Clause *clone(const Clause *clause);

 private:
  Map *clone_map(const Map *map);
  std::vector<Expr *> clone_all(const std::vector<Expr *> &list);
  std::vector<Stmt *> clone_all(const std::vector<Stmt *> &list);

  Context &context_;
  CloneHook hook_;
  TypeCloneHook type_hook_;
};

}  // namespace awl::frontend::ast
