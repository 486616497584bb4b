// The configuration as a record of the language: `config`, `config.max_strlen`.
#pragma once

#include "frontend/passes/type_checker.h"

namespace awl::frontend {

// A Record of literals that holds all that a script may ask for.
ast::Expr *config_record(TypeChecker &checker, Span span);

// What `config.name` stands for; null when the node is something else, or has no such field.
ast::Expr *config_value(TypeChecker &checker, const ast::FieldAccess &node);

}  // namespace awl::frontend
