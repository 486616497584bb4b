#include "frontend/ast/clone.h"

#include <utility>

namespace awl::frontend::ast {

Cloner::Cloner(Context &context, CloneHook hook, TypeCloneHook type_hook)
    : context_(context), hook_(std::move(hook)), type_hook_(std::move(type_hook)) {}

std::vector<Expr *> Cloner::clone_all(const std::vector<Expr *> &list) {
  std::vector<Expr *> copies;
  copies.reserve(list.size());
  for (const Expr *expr : list) copies.push_back(clone(expr));
  return copies;
}

std::vector<Stmt *> Cloner::clone_all(const std::vector<Stmt *> &list) {
  std::vector<Stmt *> copies;
  copies.reserve(list.size());
  for (const Stmt *stmt : list) copies.push_back(clone(stmt));
  return copies;
}

TypeSpec *Cloner::clone(const TypeSpec *spec) {
  if (!spec) return nullptr;
  if (type_hook_) {
    if (TypeSpec *replaced = type_hook_(*spec)) return replaced;
  }
  auto *copy = context_.make<TypeSpec>(spec->span);
  copy->base = spec->base;
  copy->name = spec->name;
  copy->typeof_expr = clone(spec->typeof_expr);
  copy->typeof_type = clone(spec->typeof_type);
  for (const TypeSpec::Modifier &modifier : spec->modifiers) {
    copy->modifiers.push_back({modifier.is_pointer, clone(modifier.count)});
  }
  return copy;
}

Block *Cloner::clone(const Block *block) {
  if (!block) return nullptr;
  auto *copy = context_.make<Block>(block->span);
  copy->statements = clone_all(block->statements);
  return copy;
}

Clause *Cloner::clone(const Clause *clause) {
  auto *copy = context_.make<Clause>(clause->span);
  copy->attach_points = clause->attach_points;
  copy->predicate = clone(clause->predicate);
  copy->body = clone(clause->body);
  return copy;
}

Expr *Cloner::clone(const Expr *expr) {
  if (!expr) return nullptr;
  if (hook_) {
    if (Expr *replaced = hook_(*expr)) return replaced;
  }
  switch (expr->kind) {
    case NodeKind::kIntegerLiteral: {
      auto &e = static_cast<const IntegerLiteral &>(*expr);
      auto *copy = context_.make<IntegerLiteral>(e.span, e.value);
      copy->is_negative = e.is_negative;
      copy->is_duration = e.is_duration;
      return copy;
    }
    case NodeKind::kBoolLiteral:
      return context_.make<BoolLiteral>(expr->span, static_cast<const BoolLiteral &>(*expr).value);
    case NodeKind::kStringLiteral:
      return context_.make<StringLiteral>(expr->span,
                                          static_cast<const StringLiteral &>(*expr).value);
    case NodeKind::kIdentifier:
      return context_.make<Identifier>(expr->span, static_cast<const Identifier &>(*expr).name);
    case NodeKind::kPositionalParameter:
      return context_.make<PositionalParameter>(
          expr->span, static_cast<const PositionalParameter &>(*expr).index);
    case NodeKind::kPositionalCount:
      return context_.make<PositionalCount>(expr->span);
    case NodeKind::kVariable:
      return context_.make<Variable>(expr->span, static_cast<const Variable &>(*expr).name);
    case NodeKind::kMap:
      return context_.make<Map>(expr->span, static_cast<const Map &>(*expr).name);
    case NodeKind::kMapAccess: {
      auto &e = static_cast<const MapAccess &>(*expr);
      return context_.make<MapAccess>(e.span, e.name, clone(e.key));
    }
    case NodeKind::kUnary: {
      auto &e = static_cast<const Unary &>(*expr);
      return context_.make<Unary>(e.span, e.op, clone(e.operand));
    }
    case NodeKind::kIncDec: {
      auto &e = static_cast<const IncDec &>(*expr);
      return context_.make<IncDec>(e.span, e.is_increment, e.is_prefix, clone(e.target));
    }
    case NodeKind::kBinary: {
      auto &e = static_cast<const Binary &>(*expr);
      auto *copy = context_.make<Binary>(e.span, e.op, clone(e.left), clone(e.right));
      copy->op_span = e.op_span;
      return copy;
    }
    case NodeKind::kTernary: {
      auto &e = static_cast<const Ternary &>(*expr);
      return context_.make<Ternary>(e.span, clone(e.condition), clone(e.then), clone(e.otherwise));
    }
    case NodeKind::kFieldAccess: {
      auto &e = static_cast<const FieldAccess &>(*expr);
      return context_.make<FieldAccess>(e.span, clone(e.object), e.field, e.field_span);
    }
    case NodeKind::kTupleAccess: {
      auto &e = static_cast<const TupleAccess &>(*expr);
      return context_.make<TupleAccess>(e.span, clone(e.object), e.index);
    }
    case NodeKind::kIndex: {
      auto &e = static_cast<const Index &>(*expr);
      return context_.make<Index>(e.span, clone(e.object), clone(e.index));
    }
    case NodeKind::kCast: {
      auto &e = static_cast<const Cast &>(*expr);
      return context_.make<Cast>(e.span, clone(e.target), clone(e.operand));
    }
    case NodeKind::kTuple:
      return context_.make<Tuple>(expr->span,
                                  clone_all(static_cast<const Tuple &>(*expr).elements));
    case NodeKind::kRecord: {
      auto &e = static_cast<const Record &>(*expr);
      auto *copy = context_.make<Record>(e.span);
      copy->names = e.names;
      copy->elements = clone_all(e.elements);
      return copy;
    }
    case NodeKind::kCall: {
      auto &e = static_cast<const Call &>(*expr);
      auto *copy = context_.make<Call>(e.span, e.name, clone_all(e.arguments), e.name_span);
      copy->is_result_used = e.is_result_used;
      return copy;
    }
    case NodeKind::kSizeof: {
      auto &e = static_cast<const Sizeof &>(*expr);
      auto *copy = context_.make<Sizeof>(e.span);
      copy->type_spec = clone(e.type_spec);
      copy->operand = clone(e.operand);
      return copy;
    }
    case NodeKind::kOffsetof: {
      auto &e = static_cast<const Offsetof &>(*expr);
      auto *copy = context_.make<Offsetof>(e.span);
      copy->type_spec = clone(e.type_spec);
      copy->operand = clone(e.operand);
      copy->path = e.path;
      return copy;
    }
    case NodeKind::kTypeof:
      return context_.make<Typeof>(expr->span, clone(static_cast<const Typeof &>(*expr).type_spec));
    case NodeKind::kBlockExpr: {
      auto &e = static_cast<const BlockExpr &>(*expr);
      std::vector<Stmt *> statements = clone_all(e.statements);
      return context_.make<BlockExpr>(e.span, std::move(statements), clone(e.result));
    }
    default:
      return nullptr;  // no expression
  }
}

Stmt *Cloner::clone(const Stmt *stmt) {
  if (!stmt) return nullptr;
  switch (stmt->kind) {
    case NodeKind::kExprStmt:
      return context_.make<ExprStmt>(stmt->span, clone(static_cast<const ExprStmt &>(*stmt).expr));
    case NodeKind::kAssign: {
      auto &s = static_cast<const Assign &>(*stmt);
      auto *copy = context_.make<Assign>(s.span, clone(s.target), clone(s.value));
      copy->compound = s.compound;
      return copy;
    }
    case NodeKind::kLet: {
      auto &s = static_cast<const Let &>(*stmt);
      auto *copy = context_.make<Let>(s.span, as<Variable>(clone(s.variable)));
      copy->type_spec = clone(s.type_spec);
      copy->value = clone(s.value);
      return copy;
    }
    case NodeKind::kIf: {
      auto &s = static_cast<const If &>(*stmt);
      auto *copy = context_.make<If>(s.span, clone(s.condition), clone(s.then));
      copy->otherwise = clone(s.otherwise);
      return copy;
    }
    case NodeKind::kWhile: {
      auto &s = static_cast<const While &>(*stmt);
      return context_.make<While>(s.span, clone(s.condition), clone(s.body));
    }
    case NodeKind::kUnroll: {
      auto &s = static_cast<const Unroll &>(*stmt);
      return context_.make<Unroll>(s.span, clone(s.count), clone(s.body));
    }
    case NodeKind::kForMap: {
      auto &s = static_cast<const ForMap &>(*stmt);
      return context_.make<ForMap>(s.span, as<Variable>(clone(s.variable)), clone_map(s.map),
                                   clone(s.body));
    }
    case NodeKind::kForRange: {
      auto &s = static_cast<const ForRange &>(*stmt);
      return context_.make<ForRange>(s.span, as<Variable>(clone(s.variable)), clone(s.begin),
                                     clone(s.end), clone(s.body));
    }
    case NodeKind::kBreak:
      return context_.make<Break>(stmt->span);
    case NodeKind::kContinue:
      return context_.make<Continue>(stmt->span);
    case NodeKind::kReturn: {
      auto *copy = context_.make<Return>(stmt->span);
      copy->value = clone(static_cast<const Return &>(*stmt).value);
      return copy;
    }
    case NodeKind::kDiscard:
      return context_.make<Discard>(stmt->span, clone(static_cast<const Discard &>(*stmt).value));
    case NodeKind::kBlock:
      return clone(static_cast<const Block *>(stmt));
    default:
      return nullptr;  // no statement
  }
}

// A hook may give a map as an access without key, as the builder writes it in expressions.
Map *Cloner::clone_map(const Map *map) {
  Expr *copy = clone(map);
  if (auto *access = as<MapAccess>(copy)) return context_.make<Map>(access->span, access->name);
  return as<Map>(copy);
}

}  // namespace awl::frontend::ast
