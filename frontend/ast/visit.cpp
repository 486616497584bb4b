#include "frontend/ast/visit.h"

#include <cassert>

namespace awl::frontend::ast {
namespace {

// Calls the two functions for the children of one node; the switch below says what they are.
class Children {
 public:
  Children(const std::function<void(Expr *&)> &on_expr, const std::function<void(Stmt *&)> &on_stmt)
      : on_expr_(on_expr), on_stmt_(on_stmt) {}

  void visit(Node &node);

 private:
  void expr(Expr *&child) {
    if (child) on_expr_(child);
  }
  void exprs(std::vector<Expr *> &children) {
    for (Expr *&child : children) expr(child);
  }
  // A child that must stay of its own kind: what replaces it has to be one too.
  template <class T>
  void fixed_expr(T *&child) {
    if (!child) return;
    Expr *replaced = child;
    on_expr_(replaced);
    if (replaced == child) return;
    assert(replaced->kind == child->kind);
    child = static_cast<T *>(replaced);
  }
  void stmt(Stmt *&child) {
    if (child) on_stmt_(child);
  }
  void stmts(std::vector<Stmt *> &children) {
    for (Stmt *&child : children) stmt(child);
  }
  void block(Block *&child) {
    if (!child) return;
    Stmt *replaced = child;
    on_stmt_(replaced);
    if (replaced == child) return;
    assert(replaced->kind == NodeKind::kBlock);
    child = static_cast<Block *>(replaced);
  }
  void type_spec(TypeSpec *spec) {
    if (!spec) return;
    expr(spec->typeof_expr);
    type_spec(spec->typeof_type);
    modifiers(spec->modifiers);
  }
  void modifiers(std::vector<TypeSpec::Modifier> &list) {
    for (TypeSpec::Modifier &modifier : list) expr(modifier.count);
  }
  void expression(Node &node);
  void statement(Node &node);
  void top_level(Node &node);
  void c_definition(CDefinition &definition);

  const std::function<void(Expr *&)> &on_expr_;
  const std::function<void(Stmt *&)> &on_stmt_;
};

void Children::expression(Node &node) {
  switch (node.kind) {
    case NodeKind::kMapAccess:
      expr(static_cast<MapAccess &>(node).key);
      break;
    case NodeKind::kUnary:
      expr(static_cast<Unary &>(node).operand);
      break;
    case NodeKind::kIncDec:
      expr(static_cast<IncDec &>(node).target);
      break;
    case NodeKind::kBinary:
      expr(static_cast<Binary &>(node).left);
      expr(static_cast<Binary &>(node).right);
      break;
    case NodeKind::kTernary:
      expr(static_cast<Ternary &>(node).condition);
      expr(static_cast<Ternary &>(node).then);
      expr(static_cast<Ternary &>(node).otherwise);
      break;
    case NodeKind::kFieldAccess:
      expr(static_cast<FieldAccess &>(node).object);
      break;
    case NodeKind::kTupleAccess:
      expr(static_cast<TupleAccess &>(node).object);
      break;
    case NodeKind::kIndex:
      expr(static_cast<Index &>(node).object);
      expr(static_cast<Index &>(node).index);
      break;
    case NodeKind::kCast:
      type_spec(static_cast<Cast &>(node).target);
      expr(static_cast<Cast &>(node).operand);
      break;
    case NodeKind::kTuple:
      exprs(static_cast<Tuple &>(node).elements);
      break;
    case NodeKind::kRecord:
      exprs(static_cast<Record &>(node).elements);
      break;
    case NodeKind::kCall:
      exprs(static_cast<Call &>(node).arguments);
      break;
    case NodeKind::kSizeof:
      type_spec(static_cast<Sizeof &>(node).type_spec);
      expr(static_cast<Sizeof &>(node).operand);
      break;
    case NodeKind::kOffsetof:
      type_spec(static_cast<Offsetof &>(node).type_spec);
      expr(static_cast<Offsetof &>(node).operand);
      break;
    case NodeKind::kTypeof:
      type_spec(static_cast<Typeof &>(node).type_spec);
      break;
    case NodeKind::kBlockExpr:
      stmts(static_cast<BlockExpr &>(node).statements);
      expr(static_cast<BlockExpr &>(node).result);
      break;
    default:
      break;  // literals and names
  }
}

void Children::statement(Node &node) {
  switch (node.kind) {
    case NodeKind::kExprStmt:
      expr(static_cast<ExprStmt &>(node).expr);
      break;
    case NodeKind::kAssign:
      expr(static_cast<Assign &>(node).value);
      expr(static_cast<Assign &>(node).target);
      break;
    case NodeKind::kLet:
      type_spec(static_cast<Let &>(node).type_spec);
      expr(static_cast<Let &>(node).value);
      fixed_expr(static_cast<Let &>(node).variable);
      break;
    case NodeKind::kIf:
      expr(static_cast<If &>(node).condition);
      block(static_cast<If &>(node).then);
      stmt(static_cast<If &>(node).otherwise);
      break;
    case NodeKind::kWhile:
      expr(static_cast<While &>(node).condition);
      block(static_cast<While &>(node).body);
      break;
    case NodeKind::kUnroll:
      expr(static_cast<Unroll &>(node).count);
      block(static_cast<Unroll &>(node).body);
      break;
    case NodeKind::kForMap:
      fixed_expr(static_cast<ForMap &>(node).map);
      fixed_expr(static_cast<ForMap &>(node).variable);
      block(static_cast<ForMap &>(node).body);
      break;
    case NodeKind::kForRange:
      expr(static_cast<ForRange &>(node).begin);
      expr(static_cast<ForRange &>(node).end);
      fixed_expr(static_cast<ForRange &>(node).variable);
      block(static_cast<ForRange &>(node).body);
      break;
    case NodeKind::kReturn:
      expr(static_cast<Return &>(node).value);
      break;
    case NodeKind::kDiscard:
      expr(static_cast<Discard &>(node).value);
      break;
    case NodeKind::kBlock:
      stmts(static_cast<Block &>(node).statements);
      break;
    default:
      break;  // break, continue
  }
}

void Children::c_definition(CDefinition &definition) {
  for (CDefinition::Member &member : definition.members) {
    type_spec(member.type);
    modifiers(member.modifiers);
    expr(member.bit_size);
    if (member.nested) c_definition(*member.nested);
  }
  for (CDefinition::Enumerator &enumerator : definition.enumerators) expr(enumerator.value);
  type_spec(definition.type);
  if (definition.nested) c_definition(*definition.nested);
  expr(definition.value);
}

// The program's parts are neither expressions nor statements: their own children are passed on.
void Children::top_level(Node &node) {
  switch (node.kind) {
    case NodeKind::kClause:
      expr(static_cast<Clause &>(node).predicate);
      block(static_cast<Clause &>(node).body);
      break;
    case NodeKind::kMacro:
      fixed_expr(static_cast<Macro &>(node).body);
      break;
    case NodeKind::kMapDeclaration:
      expr(static_cast<MapDeclaration &>(node).max_entries);
      break;
    case NodeKind::kCDefinition:
      c_definition(static_cast<CDefinition &>(node));
      break;
    case NodeKind::kTypeSpec:
      type_spec(static_cast<TypeSpec *>(&node));
      break;
    case NodeKind::kProgram: {
      auto &program = static_cast<Program &>(node);
      for (CDefinition *child : program.c_definitions) top_level(*child);
      for (MapDeclaration *child : program.map_declarations) top_level(*child);
      for (Macro *child : program.macros) top_level(*child);
      for (Clause *child : program.clauses) top_level(*child);
      break;
    }
    default:
      break;  // attach points, config, imports
  }
}

void Children::visit(Node &node) {
  if (node.kind <= NodeKind::kBlockExpr) {
    expression(node);
  } else if (node.kind <= NodeKind::kBlock) {
    statement(node);
  } else {
    top_level(node);
  }
}

}  // namespace

void for_each_child(Node &node, const std::function<void(Expr *&)> &on_expr,
                    const std::function<void(Stmt *&)> &on_stmt) {
  Children(on_expr, on_stmt).visit(node);
}

void walk(Node &node, const std::function<void(Node &)> &fn) {
  fn(node);
  if (node.kind == NodeKind::kProgram) {
    auto &program = static_cast<Program &>(node);
    for (CDefinition *child : program.c_definitions) walk(*child, fn);
    for (ConfigEntry *child : program.config) walk(*child, fn);
    for (Import *child : program.imports) walk(*child, fn);
    for (MapDeclaration *child : program.map_declarations) walk(*child, fn);
    for (Macro *child : program.macros) walk(*child, fn);
    for (Clause *child : program.clauses) walk(*child, fn);
    return;
  }
  if (node.kind == NodeKind::kClause) {
    for (AttachPoint *child : static_cast<Clause &>(node).attach_points) walk(*child, fn);
  }
  for_each_child(
      node, [&](Expr *&child) { walk(*child, fn); }, [&](Stmt *&child) { walk(*child, fn); });
}

}  // namespace awl::frontend::ast
