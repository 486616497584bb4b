// Walks a checked program and names the first place that breaks what frontend/passes/check_types.h
// promises to code generation.
#pragma once

#include <fmt/format.h>

#include <string>

#include "frontend/ast/visit.h"
#include "frontend/builtins/builtin.h"
#include "frontend/frontend.h"

namespace awl::frontend {

class ContractChecker {
 public:
  explicit ContractChecker(Compilation &compilation) : compilation_(compilation) {}

  // Empty when all is as promised.
  std::string run() {
    for (ProgramInfo &program : compilation_.checked.programs) visit(*program.clause);
    return problem_;
  }

 private:
  void visit(ast::Node &node) {
    if (auto *expr = dynamic_cast<ast::Expr *>(&node)) check_expr(*expr);
    if (auto *assign = ast::as<ast::Assign>(&node)) {
      require(assign->target->type == assign->value->type, node, "assignment of another type");
    }
    if (node.kind == ast::NodeKind::kSizeof || node.kind == ast::NodeKind::kOffsetof) return;
    // Types as written hold expressions that are never evaluated.
    if (auto *cast = ast::as<ast::Cast>(&node)) return visit(*cast->operand);
    if (auto *let = ast::as<ast::Let>(&node)) {
      if (let->value) visit(*let->value);
      return;
    }
    ast::for_each_child(
        node, [this](ast::Expr *&expr) { visit(*expr); }, [this](ast::Stmt *&stmt) { visit(*stmt); });
  }

  void check_expr(ast::Expr &expr) {
    require(expr.type != nullptr, expr, "expression without a type");
    if (!expr.type) return;
    if (auto *binary = ast::as<ast::Binary>(&expr)) check_binary(*binary);
    if (auto *unary = ast::as<ast::Unary>(&expr)) check_unary(*unary);
    if (auto *ternary = ast::as<ast::Ternary>(&expr)) {
      if (ternary->then) require(ternary->then->type == expr.type, expr, "branch of another type");
      require(ternary->otherwise->type == expr.type, expr, "branch of another type");
    }
    if (auto *variable = ast::as<ast::Variable>(&expr)) {
      require(variable->decl && variable->decl->type == expr.type, expr, "variable of another type");
    }
    if (auto *access = ast::as<ast::MapAccess>(&expr)) check_access(*access);
    if (auto *literal = ast::as<ast::IntegerLiteral>(&expr)) {
      require(literal->type->kind == TypeKind::kInteger, expr, "literal that is no integer");
    }
    if (auto *tuple = ast::as<ast::Tuple>(&expr)) {
      for (size_t i = 0; i < tuple->elements.size(); ++i) {
        require(tuple->elements[i]->type == expr.type->fields[i].type, expr, "element of another type");
      }
    }
    if (auto *call = ast::as<ast::Call>(&expr)) {
      require(find_builtin(call->name) != nullptr, expr, "call of what is no builtin");
    }
  }

  void check_access(ast::MapAccess &access) {
    const MapInfo *map = compilation_.checked.find_map(access.name);
    require(map != nullptr, access, "unknown map");
    if (!map) return;
    require(access.type == map->value, access, "map value of another type");
    require((access.key ? access.key->type : nullptr) == map->key, access, "key of another type");
  }

  void check_unary(ast::Unary &unary) {
    if (unary.op == ast::UnaryOp::kNegate || unary.op == ast::UnaryOp::kComplement) {
      require(is_wide(unary.type) && unary.operand->type == unary.type, unary, "narrow operand");
    } else if (unary.op == ast::UnaryOp::kDereference) {
      require(unary.operand->type->is_pointer(), unary, "dereference of no pointer");
    }
  }

  void check_binary(ast::Binary &binary) {
    TypeRef left = binary.left->type, right = binary.right->type;
    if (binary.op < ast::BinaryOp::kEq) {
      if (left->is_pointer() || right->is_pointer()) {
        TypeRef other = left->is_pointer() ? right : left;
        require(is_wide(other), binary, "narrow operand of pointer arithmetic");
      } else if (!left->is_string()) {
        require(is_wide(binary.type) && left == binary.type && right == binary.type, binary,
                "operands of another type");
      }
    } else if (binary.op <= ast::BinaryOp::kGe) {
      require(binary.type->kind == TypeKind::kBool, binary, "comparison that is no bool");
      bool is_text = left->is_string() || right->is_string();
      bool is_address = left->is_pointer() || right->is_pointer();
      if (!is_text && !is_address) require(left == right, binary, "comparison of two types");
    }
  }

  static bool is_wide(TypeRef type) { return type->kind == TypeKind::kInteger && type->size == 8; }

  void require(bool is_right, const ast::Node &node, std::string_view what) {
    if (is_right || !problem_.empty()) return;
    problem_ = fmt::format("{}: {}", what, compilation_.sources.text(node.span));
  }

  Compilation &compilation_;
  std::string problem_;
};

}  // namespace awl::frontend
