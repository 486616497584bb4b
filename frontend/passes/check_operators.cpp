// Types of operators: arithmetic, comparisons, logic, addresses.
#include "frontend/passes/type_checker.h"
#include "frontend/probes/network.h"
#include "runtime/object/description.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kBadOperand, Error, "bad-operand",
               "The {} operator can not be used on expressions of type '{}'", std::string_view,
               std::string);
AWL_DIAGNOSTIC(kBadOperands, Error, "bad-operands",
               "The {} operator can not be used on expressions of types {}, {}", std::string_view,
               std::string, std::string);
AWL_DIAGNOSTIC(kTypeMismatch, Error, "type-mismatch",
               "Type mismatch for '{}': comparing {} with {}", std::string_view, std::string,
               std::string);
AWL_DIAGNOSTIC(kBadCondition, Error, "bad-condition", "Invalid condition: {}", std::string);
AWL_DIAGNOSTIC(kBranchMismatch, Error, "branch-mismatch",
               "Branches must return the same type or compatible types: have '{}' and '{}'",
               std::string, std::string);
AWL_DIAGNOSTIC(kSignCast, Warning, "sign-cast",
               "Expression of type: {} being cast to type: {}. This may cause unexpected results. "
               "Use an explicit cast to suppress this warning.",
               std::string, std::string);
AWL_DIAGNOSTIC(kSignedDivision, Warning, "signed-division",
               "signed operands for '{}' can lead to undefined behavior (cast to unsigned to "
               "silence warning)",
               std::string_view);
AWL_DIAGNOSTIC(kPointerComparison, Warning, "pointer-comparison",
               "comparison of distinct pointer types: {}, {}", std::string, std::string);
AWL_DIAGNOSTIC(kDereference, Error, "dereference", "Can not dereference a value of type '{}'",
               std::string);
AWL_DIAGNOSTIC(kAddressOf, Error, "address-of", "The address of this expression can not be taken");
AWL_DIAGNOSTIC(kIncDecType, Error, "increment-type",
               "The {} operator needs an integer or pointer, {} is of type '{}'", std::string_view,
               std::string_view, std::string);

namespace {

const char *symbol(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::kAdd:
      return "+";
    case ast::BinaryOp::kSub:
      return "-";
    case ast::BinaryOp::kMul:
      return "*";
    case ast::BinaryOp::kDiv:
      return "/";
    case ast::BinaryOp::kMod:
      return "%";
    case ast::BinaryOp::kAnd:
      return "&";
    case ast::BinaryOp::kOr:
      return "|";
    case ast::BinaryOp::kXor:
      return "^";
    case ast::BinaryOp::kShl:
      return "<<";
    case ast::BinaryOp::kShr:
      return ">>";
    case ast::BinaryOp::kEq:
      return "==";
    case ast::BinaryOp::kNe:
      return "!=";
    case ast::BinaryOp::kLt:
      return "<";
    case ast::BinaryOp::kLe:
      return "<=";
    case ast::BinaryOp::kGt:
      return ">";
    case ast::BinaryOp::kGe:
      return ">=";
    case ast::BinaryOp::kLogicalAnd:
      return "&&";
    case ast::BinaryOp::kLogicalOr:
      return "||";
  }
  return "";
}

const char *symbol(ast::UnaryOp op) {
  switch (op) {
    case ast::UnaryOp::kNegate:
      return "-";
    case ast::UnaryOp::kNot:
      return "!";
    case ast::UnaryOp::kComplement:
      return "~";
    case ast::UnaryOp::kDereference:
      return "*";
    case ast::UnaryOp::kAddressOf:
      return "&";
    case ast::UnaryOp::kComptime:
      return "comptime";
  }
  return "";
}

bool is_equality(ast::BinaryOp op) { return op == ast::BinaryOp::kEq || op == ast::BinaryOp::kNe; }

bool is_comparison(ast::BinaryOp op) {
  return op >= ast::BinaryOp::kEq && op <= ast::BinaryOp::kGe;
}

bool is_truth(TypeRef type) { return type->is_integral() || type->is_pointer(); }

bool is_probe_text(TypeRef type) {
  return type->kind == TypeKind::kProbeName || type->kind == TypeKind::kProbeType;
}

// Integers as operands see them: a bool counts as a uint8, an enum as what it lies in.
Shape as_integer(TypeStore &types, Shape shape) {
  if (shape.type->kind != TypeKind::kInteger) {
    shape.type = types.integer(shape.type->size, shape.type->is_signed);
  }
  return shape;
}

}  // namespace

TypeRef TypeChecker::check_unary(ast::Unary &node, ast::Expr *&expr) {
  if (node.op == ast::UnaryOp::kAddressOf) return check_address_of(node);
  if (node.op == ast::UnaryOp::kDereference) return check_dereference(node);
  bool is_not = node.op == ast::UnaryOp::kNot;
  TypeRef type = is_not ? check_presence(node.operand) : check(node.operand);
  if (!type) return nullptr;
  if (!type->is_integral() && !(is_not && type->is_pointer())) {
    report(node.operand->span, kBadOperand, symbol(node.op), to_string(type));
    return nullptr;
  }
  if (is_not) return types_.boolean();
  TypeRef wide = widen(node.operand);
  if (!type->is_integer() || type->is_signed || type->size == 8) return wide;
  // What is unsigned stays in its width: ~(uint8)5 is 250.
  if (is_final_) {
    node.type = wide;
    convert(expr, type);
  }
  return type;
}

TypeRef TypeChecker::check_address_of(ast::Unary &node) {
  TypeRef type = check_raw(node.operand);
  if (!type) return nullptr;
  switch (node.operand->kind) {
    case ast::NodeKind::kVariable:
    case ast::NodeKind::kMapAccess:
      return types_.pointer(type, AddressSpace::kBpf);
    case ast::NodeKind::kFieldAccess:
    case ast::NodeKind::kIndex:
      return types_.pointer(type, default_space());
    default:
      report(node.operand->span, kAddressOf);
      return nullptr;
  }
}

TypeRef TypeChecker::check_dereference(ast::Unary &node) {
  TypeRef type = check(node.operand);
  if (!type) return nullptr;
  if (type->is_integer()) {
    TypeRef pointer = types_.pointer(uint64(), default_space());
    convert(node.operand, pointer);
    return uint64();
  }
  if (!type->is_pointer() || types_.size_of(type->element) == 0) {
    report(node.span, kDereference, to_string(type));
    return nullptr;
  }
  TypeRef element = value_type(types_, type->element);
  if (element->is_pointer() && element->address_space == AddressSpace::kNone) {
    return types_.pointer(element->element, type->address_space);
  }
  return element;
}

TypeRef TypeChecker::check_inc_dec(ast::IncDec &node) {
  const char *op = node.is_increment ? "++" : "--";
  Slot *slot = nullptr;
  std::string_view name;
  if (auto *target = ast::as<ast::Variable>(node.target)) {
    if (!target->decl) return nullptr;
    slot = &variable(*target->decl);
    name = target->name;
  } else if (auto *access = ast::as<ast::MapAccess>(node.target)) {
    slot = &map(access->name, access->span).value;
    name = access->name;
  } else {
    report(node.target->span, kAddressOf);
    return nullptr;
  }
  // Counting is done in 64 bits with a sign: what counts down may go below zero.
  TypeRef type = check_raw(node.target);
  bool is_number = !slot->shape.type || slot->shape.type->is_integer();
  if (is_number && !slot->is_fixed && !is_final_) widen_slot(*slot, {int64(), false, {}});
  if (!is_final_) type = slot->shape.type;
  if (!type) return nullptr;
  node.target->type = type;
  if (!type->is_integer() && !type->is_pointer()) {
    report(node.span, kIncDecType, op, name, to_string(type));
    return nullptr;
  }
  return type;
}

TypeRef TypeChecker::check_binary(ast::Binary &node) {
  if (node.op == ast::BinaryOp::kLogicalAnd || node.op == ast::BinaryOp::kLogicalOr) {
    return check_logical(node);
  }
  return is_comparison(node.op) ? check_comparison(node) : check_arithmetic(node);
}

// A header of `pkt` as a condition is whether the packet has it.
TypeRef TypeChecker::check_presence(ast::Expr *&expr) {
  TypeRef type = check(expr);
  if (!type || !is_packet_header(type)) return type;
  expr = nodes().make<ast::FieldAccess>(expr->span, expr, kPresent, expr->span);
  return check(expr);
}

bool TypeChecker::check_truth(ast::Expr *&expr) {
  TypeRef type = check_presence(expr);
  if (!type) return false;
  if (is_truth(type)) return true;
  auto diagnostic = report(expr->span, kBadCondition, to_string(type));
  // `if (a = 1)` is a record.
  if (type->kind == TypeKind::kRecord) diagnostic.hint("'==' compares");
  return false;
}

TypeRef TypeChecker::check_logical(ast::Binary &node) {
  TypeRef left = check_presence(node.left), right = check_presence(node.right);
  if (!left || !right) return nullptr;
  if (!is_truth(left) || !is_truth(right)) {
    report(node.span, kBadOperands, symbol(node.op), to_string(left), to_string(right));
    return nullptr;
  }
  return types_.boolean();
}

TypeRef TypeChecker::mismatch(ast::Binary &node, TypeRef left, TypeRef right) {
  report(node.span, kTypeMismatch, symbol(node.op), to_string(left), to_string(right))
      .note(node.left->span, "left (" + to_string(left) + ")")
      .note(node.right->span, "right (" + to_string(right) + ")");
  return nullptr;
}

void TypeChecker::warn_sign(ast::Expr &expr, TypeRef to) {
  TypeRef from = expr.type;
  if (!from || ast::as<ast::IntegerLiteral>(&expr) || !may_lose_value(from, to)) return;
  report(expr.span, kSignCast, to_string(from), to_string(to));
}

TypeRef TypeChecker::compare_integers(ast::Binary &node) {
  Shape left = as_integer(types_, shape_of(types_, *node.left));
  Shape right = as_integer(types_, shape_of(types_, *node.right));
  TypeRef common = unify_integers(types_, left, right);
  // A parameter is a number that somebody typed, as a literal is.
  const bool has_parameter =
      ast::as<ast::PositionalParameter>(node.left) || ast::as<ast::PositionalParameter>(node.right);
  if (!has_parameter) {
    warn_sign(*node.left, common);
    warn_sign(*node.right, common);
  }
  convert(node.left, common);
  convert(node.right, common);
  return types_.boolean();
}

TypeRef TypeChecker::check_comparison(ast::Binary &node) {
  TypeRef left = check(node.left), right = check(node.right);
  if (!left || !right) return nullptr;
  // A parameter that is compared with text is text, whatever its value is.
  for (auto [side, other] : {std::pair{node.left, right}, std::pair{node.right, left}}) {
    auto *parameter = ast::as<ast::PositionalParameter>(side);
    if (!parameter || !other->is_string() || parameter->type->is_string()) continue;
    parameter->type = types_.string(object::kParameterStringSize);
    (side == node.left ? left : right) = parameter->type;
  }
  if (left == right && left->is_integral()) return types_.boolean();
  if (left->is_integral() && right->is_integral()) return compare_integers(node);
  if (left->is_pointer() && right->is_pointer()) {
    bool is_void =
        left->element->kind == TypeKind::kVoid || right->element->kind == TypeKind::kVoid;
    if (left->element != right->element && !is_void) {
      report(node.span, kPointerComparison, to_string(left), to_string(right));
    }
    return types_.boolean();
  }
  if (left->is_pointer() && right->is_integral())
    return convert(node.right, uint64()), types_.boolean();
  if (right->is_pointer() && left->is_integral())
    return convert(node.left, uint64()), types_.boolean();
  if (!is_equality(node.op)) {
    if (left->kind != right->kind) return mismatch(node, left, right);
    report(node.span, kBadOperands, symbol(node.op), to_string(left), to_string(right));
    return nullptr;
  }
  if (left->is_string() && right->is_string()) return types_.boolean();
  if ((is_probe_text(left) && right->is_string()) || (is_probe_text(right) && left->is_string())) {
    return types_.boolean();
  }
  if (left->is_struct() || left->is_aggregation() || left->kind == TypeKind::kVoid) {
    report(node.span, kBadOperands, symbol(node.op), to_string(left), to_string(right));
    return nullptr;
  }
  std::optional<Shape> both =
      unify(types_, shape_of(types_, *node.left), shape_of(types_, *node.right));
  if (!both) return mismatch(node, left, right);
  convert(node.left, both->type);
  convert(node.right, both->type);
  return types_.boolean();
}

TypeRef TypeChecker::check_pointer_arithmetic(ast::Binary &node, TypeRef left, TypeRef right) {
  bool is_sum = node.op == ast::BinaryOp::kAdd;
  if (left->is_pointer() && right->is_integral() && (is_sum || node.op == ast::BinaryOp::kSub)) {
    widen(node.right);
    return left;
  }
  if (right->is_pointer() && left->is_integral() && is_sum) {
    widen(node.left);
    return right;
  }
  report(node.span, kBadOperands, symbol(node.op), to_string(left), to_string(right));
  return nullptr;
}

TypeRef TypeChecker::check_arithmetic(ast::Binary &node) {
  TypeRef left = check(node.left), right = check(node.right);
  if (!left || !right) return nullptr;
  if (left->is_pointer() || right->is_pointer()) return check_pointer_arithmetic(node, left, right);
  auto *parameter = ast::as<ast::PositionalParameter>(node.left);
  auto *literal = ast::as<ast::IntegerLiteral>(node.right);
  if (parameter && literal && left->is_string() && node.op == ast::BinaryOp::kAdd) return left;
  if (!left->is_integral() || !right->is_integral()) {
    if (left->kind != right->kind) return mismatch(node, left, right);
    const bool joins_text = node.op == ast::BinaryOp::kAdd && left->is_string();
    report(node.span, kBadOperands, symbol(node.op), to_string(left), to_string(right))
        .hint(joins_text ? "str_concat(a, b) joins two texts" : "");
    return nullptr;
  }
  Shape a = as_integer(types_, shape_of(types_, *node.left));
  Shape b = as_integer(types_, shape_of(types_, *node.right));
  bool is_signed = node.op == ast::BinaryOp::kSub || unify_integers(types_, a, b)->is_signed;
  bool is_shift = node.op == ast::BinaryOp::kShl || node.op == ast::BinaryOp::kShr;
  if (is_shift) is_signed = a.is_flexible ? true : a.type->is_signed;
  TypeRef result = integer(8, is_signed);
  bool is_division = node.op == ast::BinaryOp::kDiv || node.op == ast::BinaryOp::kMod;
  // A literal divisor above zero divides all values as people expect.
  if (is_division && is_signed && !b.is_flexible) {
    report(node.span, kSignedDivision, symbol(node.op));
  }
  if (node.op != ast::BinaryOp::kSub && !is_shift) {
    warn_sign(*node.left, result);
    warn_sign(*node.right, result);
  }
  convert(node.left, result);
  convert(node.right, result);
  return result;
}

TypeRef TypeChecker::check_ternary(ast::Ternary &node) {
  bool is_right = check_truth(node.condition);
  TypeRef then = node.then ? check(node.then) : node.condition->type;
  TypeRef otherwise = check(node.otherwise);
  if (!is_right || !then || !otherwise) return nullptr;
  ast::Expr *&first = node.then ? node.then : node.condition;
  std::optional<Shape> both =
      unify(types_, shape_of(types_, *first), shape_of(types_, *node.otherwise));
  if (!both) {
    report(node.span, kBranchMismatch, to_string(then), to_string(otherwise));
    return nullptr;
  }
  convert(first, both->type);
  convert(node.otherwise, both->type);
  return both->type;
}

}  // namespace awl::frontend
