// What is decided while the script is compiled: `comptime`, and which branches can be reached.
//
// `if comptime (c) { … } else { … }` keeps the branch that is taken; the other one is not checked,
// so that a macro may ask what it was given (`is_str(x)`) and do what only fits that. A plain `if`
// keeps and checks both, but where its condition is a constant it is known which one is dead.
#include "frontend/ast/visit.h"
#include "frontend/passes/evaluate_constant.h"
#include "frontend/passes/type_checker.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kNotComptime, Error, "not-comptime",
               "This can not be told when the script is compiled");

namespace {

bool is_comptime(const ast::Expr &expr) {
  auto *unary = ast::as<ast::Unary>(&expr);
  return unary && unary->op == ast::UnaryOp::kComptime;
}

}  // namespace

void TypeChecker::fix_parameters(ast::Expr *&expr) {
  if (auto *parameter = ast::as<ast::PositionalParameter>(expr)) {
    expr = fix_parameter(*parameter);
    return;
  }
  ast::for_each_child(
      *expr, [this](ast::Expr *&child) { fix_parameters(child); }, [](ast::Stmt *&) {});
}

std::optional<int64_t> TypeChecker::comptime_value(ast::Unary &node) {
  fix_parameters(node.operand);
  TypeRef type = check(node.operand);
  if (!type) return std::nullopt;
  std::optional<int64_t> value = evaluate_constant(types_, *node.operand);
  if (!value) {
    auto diagnostic = report(node.span, kNotComptime);
    if (options_.is_ahead_of_time) {
      diagnostic.hint("parameters are known only when the object is run");
    }
  }
  return value;
}

TypeRef TypeChecker::check_comptime(ast::Unary &node, ast::Expr *&expr) {
  fix_parameters(node.operand);
  TypeRef type = check(node.operand);
  if (!type || type->is_string()) {
    if (type && !ast::as<ast::StringLiteral>(node.operand)) report(node.span, kNotComptime);
    expr = node.operand;
    return type;
  }
  std::optional<int64_t> value = comptime_value(node);
  if (!value || !is_final_) return node.operand->type;
  if (type->kind == TypeKind::kBool) {
    expr = nodes().make<ast::BoolLiteral>(node.span, *value != 0);
    return type;
  }
  bool is_negative = *value < 0 && (!type->is_integer() || type->is_signed);
  auto *literal = nodes().make<ast::IntegerLiteral>(node.span, static_cast<uint64_t>(*value));
  literal->is_negative = is_negative;
  expr = literal;
  return literal_type(types_, *literal);
}

bool TypeChecker::check_comptime_if(ast::If &stmt) {
  if (!is_comptime(*stmt.condition)) return false;
  std::optional<int64_t> value = comptime_value(static_cast<ast::Unary &>(*stmt.condition));
  if (!value) return true;
  if (*value) {
    check_statements(stmt.then->statements);
  } else if (stmt.otherwise) {
    check_statement(*stmt.otherwise);
  }
  if (!is_final_) return true;
  stmt.condition = nodes().make<ast::BoolLiteral>(stmt.condition->span, *value != 0);
  stmt.condition->type = types_.boolean();
  if (*value) {
    stmt.otherwise = nullptr;
  } else {
    stmt.then->statements.clear();
  }
  return true;
}

bool TypeChecker::check_comptime_ternary(ast::Ternary &node, ast::Expr *&expr, TypeRef *type) {
  if (!node.then || !is_comptime(*node.condition)) return false;
  std::optional<int64_t> value = comptime_value(static_cast<ast::Unary &>(*node.condition));
  *type = nullptr;
  if (!value) return true;
  ast::Expr *&taken = *value ? node.then : node.otherwise;
  *type = check_raw(taken);
  if (is_final_) expr = taken;
  return true;
}

std::optional<bool> TypeChecker::known_truth(const ast::Expr &condition) {
  std::optional<int64_t> value =
      evaluate_constant(types_, condition, [this](const ast::PositionalParameter &parameter) {
        ast::PositionalParameter copy = parameter;
        auto *literal = ast::as<ast::IntegerLiteral>(fix_parameter(copy));
        return literal ? std::optional(static_cast<int64_t>(literal->value)) : std::nullopt;
      });
  return value ? std::optional(*value != 0) : std::nullopt;
}

}  // namespace awl::frontend
