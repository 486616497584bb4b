#include "frontend/passes/resolve_type_spec.h"

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/passes/evaluate_constant.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kUnknownType, Error, "unknown-type", "unknown type '{}'", std::string);
AWL_DIAGNOSTIC(kBadArraySize, Error, "bad-array-size",
               "the size of an array must be a constant from 1 to {}", uint32_t);
AWL_DIAGNOSTIC(kArrayOfVoid, Error, "array-of-void", "an array of '{}' has no size", std::string);

constexpr uint32_t kMaxArraySize = 1u << 24;

class TypeResolver {
 public:
  TypeResolver(TypeStore &types, Diagnostics &diagnostics, TypeofExpr typeof_expr,
               TypeDialect dialect)
      : types_(types),
        diagnostics_(diagnostics),
        typeof_expr_(std::move(typeof_expr)),
        dialect_(dialect) {}

  TypeRef resolve(const ast::TypeSpec &spec) {
    TypeRef type = base(spec);
    return type ? apply(type, spec.modifiers, spec.span) : nullptr;
  }

  // In the language brackets read from the outside in: of `int32[2][3]` the last makes the inner
  // array, so in a row of brackets the order is turned. In C definitions the builder has turned
  // them already, as they stand around the name there.
  TypeRef apply(TypeRef type, const std::vector<ast::TypeSpec::Modifier> &modifiers, Span span) {
    for (size_t i = 0; type && i < modifiers.size();) {
      if (modifiers[i].is_pointer || dialect_ == TypeDialect::kC) {
        type =
            modifiers[i].is_pointer ? types_.pointer(type) : array(type, modifiers[i].count, span);
        ++i;
        continue;
      }
      size_t end = i;
      while (end < modifiers.size() && !modifiers[end].is_pointer) ++end;
      for (size_t k = end; type && k > i; --k) type = array(type, modifiers[k - 1].count, span);
      i = end;
    }
    return type;
  }

 private:
  TypeRef base(const ast::TypeSpec &spec) {
    TypeRef type = nullptr;
    std::string shown = spec.name;
    switch (spec.base) {
      case ast::TypeSpec::Base::kNamed:
        if (dialect_ == TypeDialect::kC && spec.name == "char") return types_.integer(1, true);
        type = types_.find_named(spec.name);
        break;
      case ast::TypeSpec::Base::kStruct:
        type = types_.find_struct(spec.name, false);
        shown = "struct " + shown;
        break;
      case ast::TypeSpec::Base::kUnion:
        type = types_.find_struct(spec.name, true);
        shown = "union " + shown;
        break;
      case ast::TypeSpec::Base::kEnum:
        type = types_.find_enum(spec.name);
        shown = "enum " + shown;
        break;
      case ast::TypeSpec::Base::kTypeof:
        return typeof_type(spec);
    }
    if (!type) diagnostics_.emit(spec.span, kUnknownType, shown);
    return type;
  }

  TypeRef typeof_type(const ast::TypeSpec &spec) {
    if (spec.typeof_type) return resolve(*spec.typeof_type);
    // C definitions cannot hold the typeof of an expression.
    assert(spec.typeof_expr && typeof_expr_);
    return typeof_expr_(*spec.typeof_expr);
  }

  TypeRef array(TypeRef element, const ast::Expr *count, Span span) {
    if (element->kind == TypeKind::kVoid) {
      diagnostics_.emit(span, kArrayOfVoid, to_string(element));
      return nullptr;
    }
    uint32_t number = 0;
    if (count) {
      std::optional<int64_t> value = evaluate_constant(types_, *count);
      // C has members such as `char data[0]`.
      int64_t least = dialect_ == TypeDialect::kC ? 0 : 1;
      if (!value || *value < least || *value > kMaxArraySize) {
        diagnostics_.emit(count->span, kBadArraySize, kMaxArraySize);
        return nullptr;
      }
      number = static_cast<uint32_t>(*value);
    }
    // The size of a string is its own: `string[16]` is no array.
    if (element->is_string() && element->size == 0) return types_.string(number);
    return types_.array(element, number);
  }

  TypeStore &types_;
  Diagnostics &diagnostics_;
  TypeofExpr typeof_expr_;
  TypeDialect dialect_;
};

}  // namespace

TypeRef resolve_type_spec(TypeStore &types, Diagnostics &diagnostics, const ast::TypeSpec &spec,
                          const TypeofExpr &typeof_expr, TypeDialect dialect) {
  return TypeResolver(types, diagnostics, typeof_expr, dialect).resolve(spec);
}

TypeRef apply_modifiers(TypeStore &types, Diagnostics &diagnostics, TypeRef base,
                        const std::vector<ast::TypeSpec::Modifier> &modifiers, Span span,
                        TypeDialect dialect) {
  return TypeResolver(types, diagnostics, nullptr, dialect).apply(base, modifiers, span);
}

}  // namespace awl::frontend
