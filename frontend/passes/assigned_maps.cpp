#include "frontend/passes/assigned_maps.h"

#include "frontend/ast/visit.h"

namespace awl::frontend {
namespace {

// What a node assigns to; null: nothing.
const ast::Expr *target_of(const ast::Node &node) {
  switch (node.kind) {
    case ast::NodeKind::kAssign:
      return static_cast<const ast::Assign &>(node).target;
    case ast::NodeKind::kIncDec:
      return static_cast<const ast::IncDec &>(node).target;
    case ast::NodeKind::kUnary: {
      // Whoever has the address may write there.
      auto &unary = static_cast<const ast::Unary &>(node);
      return unary.op == ast::UnaryOp::kAddressOf ? unary.operand : nullptr;
    }
    default:
      return nullptr;
  }
}

}  // namespace

std::set<std::string> assigned_maps(ast::Program &program) {
  std::set<std::string> names;
  // Not macros: those that are called stand in the clauses by now.
  for (ast::Clause *clause : program.clauses) {
    ast::walk(*clause, [&](ast::Node &node) {
      const ast::Expr *target = target_of(node);
      auto *access = target ? ast::as<ast::MapAccess>(target) : nullptr;
      if (access) names.insert(access->name);
    });
  }
  return names;
}

}  // namespace awl::frontend
