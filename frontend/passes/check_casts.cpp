// Conversions: those that the script asks for, and those that the checks put in.
#include "frontend/passes/resolve_type_spec.h"
#include "frontend/passes/type_checker.h"
#include "frontend/target/target.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kBadCast, Error, "bad-cast", "Cannot cast from \"{}\" to \"{}\"", std::string,
               std::string);
AWL_DIAGNOSTIC(kAggregationValue, Error, "aggregation-value",
               "Value '{}' cannot be used in an expression", std::string);
AWL_DIAGNOSTIC(kUnsizedArray, Error, "unsized-array",
               "The size of \"{}\" cannot be told from a value of type \"{}\"", std::string,
               std::string);

namespace {

bool is_kernel_type(TypeRef type) {
  return type->is_struct() ? type->struct_def->origin == StructDef::Origin::kKernel
                           : type->enum_def && type->enum_def->is_kernel;
}

// In a probe of a user binary, a tag that both the kernel and the binary know means the binary's.
// Null: it does not, or only one of them knows it. (Resolvers take "BINARY:TAG" for the binary's.)
TypeRef type_of_traced_binary(TypeStore &types, const ProbeSpec &probe, const ast::TypeSpec &spec) {
  bool is_user = probe.family == ProbeFamily::kUprobe || probe.family == ProbeFamily::kUretprobe ||
                 probe.family == ProbeFamily::kUsdt;
  if (!is_user || has_wildcard(probe.binary)) return nullptr;
  auto find = [&](const std::string &tag) -> TypeRef {
    switch (spec.base) {
      case ast::TypeSpec::Base::kStruct:
        return types.find_struct(tag, false);
      case ast::TypeSpec::Base::kUnion:
        return types.find_struct(tag, true);
      case ast::TypeSpec::Base::kEnum:
        return types.find_enum(tag);
      default:
        return nullptr;
    }
  };
  TypeRef known = find(spec.name);
  return known && is_kernel_type(known) ? find(probe.binary + ":" + spec.name) : nullptr;
}

bool have_same_names(const ast::Record &record, TypeRef type) {
  if (record.names.size() != type->fields.size()) return false;
  for (size_t i = 0; i < record.names.size(); ++i) {
    if (record.names[i] != type->fields[i].name) return false;
  }
  return true;
}

}  // namespace

void TypeChecker::convert(ast::Expr *&expr, TypeRef to) {
  if (!is_final_ || !expr->type || expr->type == to) return;
  if (auto *literal = ast::as<ast::IntegerLiteral>(expr);
      literal && to->kind == TypeKind::kInteger && literal_fits(*literal, to)) {
    literal->type = to;
    return;
  }
  if (ast::as<ast::StringLiteral>(expr) && to->is_string() && to->size > expr->type->size) {
    expr->type = to;
    return;
  }
  auto *tuple = ast::as<ast::Tuple>(expr);
  if (tuple && to->kind == TypeKind::kTuple && tuple->elements.size() == to->fields.size()) {
    for (size_t i = 0; i < tuple->elements.size(); ++i) {
      convert(tuple->elements[i], to->fields[i].type);
    }
    tuple->type = to;
    return;
  }
  auto *record = ast::as<ast::Record>(expr);
  if (record && to->kind == TypeKind::kRecord && have_same_names(*record, to)) {
    for (size_t i = 0; i < record->elements.size(); ++i) {
      convert(record->elements[i], to->fields[i].type);
    }
    record->type = to;
    return;
  }
  auto *cast = nodes().make<ast::Cast>(expr->span, nullptr, expr);
  cast->is_implicit = true;
  cast->type = to;
  expr = cast;
}

TypeRef TypeChecker::read_aggregation(ast::Expr *&expr) {
  TypeRef type = expr->type;
  if (!type || !type->is_aggregation()) return type;
  if (!type->is_integer_aggregation()) {
    report(expr->span, kAggregationValue, to_string(type)).hint("print the map as a whole instead");
    return nullptr;
  }
  auto *cast = nodes().make<ast::Cast>(expr->span, nullptr, expr);
  cast->is_implicit = true;
  cast->type = integer(8, type->is_signed);
  expr = cast;
  return cast->type;
}

TypeRef TypeChecker::widen(ast::Expr *&expr) {
  TypeRef type = expr->type;
  if (!type || !type->is_integral()) return type;
  TypeRef wide = integer(8, type->is_signed);
  convert(expr, wide);
  return wide;
}

TypeRef TypeChecker::resolve_spec(const ast::TypeSpec &spec) {
  // Said in the last walk alone.
  Diagnostics silent;
  Diagnostics &diagnostics = is_final_ ? compilation_.diagnostics : silent;
  if (TypeRef own = type_of_traced_binary(types_, program().probes.front(), spec)) {
    return apply_modifiers(types_, diagnostics, own, spec.modifiers, spec.span);
  }
  return resolve_type_spec(types_, diagnostics, spec, [this](ast::Expr &expr) {
    ast::Expr *operand = &expr;
    return check(operand);
  });
}

// The type a cast goes to: sizes left open are taken from the value.
TypeRef TypeChecker::cast_target(ast::Cast &node, TypeRef from) {
  TypeRef to = resolve_spec(*node.target);
  if (!to) return nullptr;
  if (to->kind == TypeKind::kArray && to->count == 0) {
    uint32_t element = types_.size_of(to->element);
    uint32_t size = types_.size_of(from);
    if (!element || !size || size % element) {
      report(node.span, kUnsizedArray, to_string(to), to_string(from));
      return nullptr;
    }
    return types_.array(to->element, size / element);
  }
  if (to->is_string() && to->size == 0) {
    return types_.string(from->is_string() || from->kind == TypeKind::kArray
                             ? from->size
                             : static_cast<uint32_t>(config().max_strlen));
  }
  if (to->is_pointer() && to->address_space == AddressSpace::kNone) {
    AddressSpace space = from->is_pointer() ? from->address_space : AddressSpace::kNone;
    if (space == AddressSpace::kNone) space = default_space();
    return types_.pointer(to->element, space);
  }
  return to;
}

TypeRef TypeChecker::check_cast(ast::Cast &node) {
  TypeRef from = check_raw(node.operand);
  if (!from) return nullptr;
  // Put in by read_aggregation in an earlier walk.
  if (node.is_implicit) return integer(8, from->is_signed);
  TypeRef to = cast_target(node, from);
  if (!to) return nullptr;
  if (is_final_) node.target->type = to;
  if (from->kind == TypeKind::kArray && to->is_integral() && from->count == 0) return nullptr;
  // The bytes of a literal are those of the type it is cast to.
  auto *literal = ast::as<ast::IntegerLiteral>(node.operand);
  if (literal && to->kind == TypeKind::kArray && from->size < to->size) {
    TypeRef sized = to->size <= 8 ? integer(to->size <= 1   ? 1
                                            : to->size <= 2 ? 2
                                            : to->size <= 4 ? 4
                                                            : 8,
                                            true)
                                  : nullptr;
    if (sized && sized->size == to->size) {
      convert(node.operand, sized);
      return to;
    }
  }
  if (from->is_aggregation() && !from->is_integer_aggregation()) {
    report(node.span, kBadCast, to_string(from), to_string(to));
    return nullptr;
  }
  if (!is_castable(types_, from, to)) {
    report(node.span, kBadCast, to_string(from), to_string(to));
    return nullptr;
  }
  return to;
}

}  // namespace awl::frontend
