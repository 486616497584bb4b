// From a type as written to the type itself.
#pragma once

#include <functional>
#include <vector>

#include "frontend/ast/ast.h"
#include "frontend/diagnostics/diagnostic.h"
#include "frontend/types/type.h"

namespace awl::frontend {

// The type of an expression under `typeof`; null after an error was emitted.
using TypeofExpr = std::function<TypeRef(ast::Expr &)>;

// Whose rules count: in C definitions a `char` is signed, elsewhere it is what the kernel says.
enum class TypeDialect { kLanguage, kC };

// Resolves names, tags, `typeof`, pointers and arrays. An array without a size (`uint8[]`) has
// count 0. Emits a diagnostic and returns null when there is no such type. `typeof_expr` may be
// null where `typeof` of an expression makes no sense (C definitions). Sets nothing in `spec`.
TypeRef resolve_type_spec(TypeStore &types, Diagnostics &diagnostics, const ast::TypeSpec &spec,
                          const TypeofExpr &typeof_expr = nullptr,
                          TypeDialect dialect = TypeDialect::kLanguage);

// The pointers and arrays of a type as written, put around `base`. `span` is for messages.
TypeRef apply_modifiers(TypeStore &types, Diagnostics &diagnostics, TypeRef base,
                        const std::vector<ast::TypeSpec::Modifier> &modifiers, Span span,
                        TypeDialect dialect = TypeDialect::kLanguage);

}  // namespace awl::frontend
