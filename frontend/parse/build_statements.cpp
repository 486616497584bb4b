// Statements.
#include "frontend/ast/clone.h"
#include "frontend/parse/ast_builder.h"

namespace awl::frontend {

using namespace ast;

namespace {

AWL_DIAGNOSTIC(kBadAssignmentTarget, Error, "bad-assignment-target",
               "this cannot be assigned to: only variables and maps can");
AWL_DIAGNOSTIC(kBadLoopRange, Error, "bad-loop-range",
               "'for' needs a map, such as @m, or a range, such as 0..10");

using Grammar = grammar::AwlParser;

// The operator of a compound assignment; nothing for `=`.
std::optional<BinaryOp> compound_operator(size_t type) {
  switch (type) {
    case Grammar::ADD_ASSIGN:
      return BinaryOp::kAdd;
    case Grammar::SUB_ASSIGN:
      return BinaryOp::kSub;
    case Grammar::MUL_ASSIGN:
      return BinaryOp::kMul;
    case Grammar::DIV_ASSIGN:
      return BinaryOp::kDiv;
    case Grammar::MOD_ASSIGN:
      return BinaryOp::kMod;
    case Grammar::AND_ASSIGN:
      return BinaryOp::kAnd;
    case Grammar::OR_ASSIGN:
      return BinaryOp::kOr;
    case Grammar::XOR_ASSIGN:
      return BinaryOp::kXor;
    case Grammar::LEFT_ASSIGN:
      return BinaryOp::kShl;
    case Grammar::RIGHT_ASSIGN:
      return BinaryOp::kShr;
    default:
      return std::nullopt;
  }
}

}  // namespace

Block *AstBuilder::block(Grammar::BlockContext *rule) {
  auto *block = context_.make<Block>(span(rule));
  block->statements = statements(rule->statements(), nullptr);
  return block;
}

BlockExpr *AstBuilder::block_expression(Span span, Grammar::StatementsContext *rule) {
  Expr *result = nullptr;
  std::vector<Stmt *> list = statements(rule, &result);
  return context_.make<BlockExpr>(span, std::move(list), result);
}

std::vector<Stmt *> AstBuilder::statements(Grammar::StatementsContext *rule, Expr **result) {
  std::vector<Stmt *> list;
  Depth depth(*this, 1);
  if (is_too_deep()) {
    too_deep(span(rule));
    return list;
  }
  std::vector<Grammar::StatementGroupContext *> groups = rule->statementGroup();
  for (size_t i = 0; i < groups.size(); ++i) {
    statement_group(groups[i], &list, i + 1 == groups.size() ? result : nullptr);
  }
  return list;
}

void AstBuilder::statement_group(Grammar::StatementGroupContext *rule, std::vector<Stmt *> *list,
                                 Expr **result) {
  Grammar::SimpleStatementContext *simple = rule->simpleStatement();
  std::vector<Grammar::BlockStatementContext *> blocks = rule->blockStatement();
  for (size_t i = 0; i < blocks.size(); ++i) {
    Grammar::StatementBlockContext *last = blocks[i]->statementBlock();
    if (result && !simple && last && i + 1 == blocks.size()) {
      // `{ …; { 1 } }`: the inner block is the value of the outer one, if it has a value.
      BlockExpr *inner = block_expression(span(last), last->statements());
      if (inner->result) {
        *result = inner;
        return;
      }
      auto *block = context_.make<Block>(inner->span);
      block->statements = std::move(inner->statements);
      list->push_back(block);
      return;
    }
    if (result && !simple && blocks[i]->ifStatement() && i + 1 == blocks.size()) {
      // The same for `{ …; if (a) { 1 } else { 2 } }`.
      Node *node = if_or_value(blocks[i]->ifStatement());
      if (auto *value = as<Ternary>(node)) {
        *result = value;
      } else {
        list->push_back(as<If>(node));
      }
      return;
    }
    list->push_back(block_statement(blocks[i]));
  }
  if (!simple) return;
  bool is_expression = !simple->assignmentOperator() && simple->children.size() == 1 &&
                       simple->expression().size() == 1;
  if (result && is_expression) {
    *result = expression(simple->expression(0));
  } else {
    list->push_back(simple_statement(simple));
  }
}

Stmt *AstBuilder::block_statement(Grammar::BlockStatementContext *rule) {
  if (auto *child = rule->ifStatement()) return if_statement(child);
  if (auto *child = rule->forStatement()) return for_statement(child);
  if (auto *child = rule->whileStatement()) {
    Expr *condition = expression(child->expression());
    return context_.make<While>(span(child), condition, block(child->block()));
  }
  if (auto *child = rule->unrollStatement()) {
    Expr *count = expression(child->expression());
    return context_.make<Unroll>(span(child), count, block(child->block()));
  }
  Grammar::StatementBlockContext *child = rule->statementBlock();
  auto *block = context_.make<Block>(span(child));
  block->statements = statements(child->statements(), nullptr);
  return block;
}

If *AstBuilder::if_statement(Grammar::IfStatementContext *rule) {
  Depth depth(*this, 1);
  Expr *condition = expression(rule->expression());
  auto *statement = context_.make<If>(span(rule), condition, block(rule->block(0)));
  if (is_too_deep()) {
    too_deep(span(rule));
  } else if (rule->ifStatement()) {
    statement->otherwise = if_statement(rule->ifStatement());
  } else if (rule->block().size() > 1) {
    statement->otherwise = block(rule->block(1));
  }
  return statement;
}

Node *AstBuilder::if_or_value(Grammar::IfStatementContext *rule) {
  Depth depth(*this, 1);
  Expr *condition = expression(rule->expression());
  BlockExpr *then = block_expression(span(rule->block(0)), rule->block(0)->statements());
  Node *otherwise = nullptr;
  if (is_too_deep()) {
    too_deep(span(rule));
  } else if (rule->ifStatement()) {
    otherwise = if_or_value(rule->ifStatement());
  } else if (rule->block().size() > 1) {
    otherwise = block_expression(span(rule->block(1)), rule->block(1)->statements());
  }
  return branches(span(rule), condition, then, otherwise);
}

Node *AstBuilder::branches(Span span, Expr *condition, BlockExpr *then, Node *otherwise) {
  auto *block = as<BlockExpr>(otherwise);
  bool is_value = as<Ternary>(otherwise) || (block && block->result);
  if (then->result && is_value) {
    return context_.make<Ternary>(span, condition, then, static_cast<Expr *>(otherwise));
  }
  auto *statement = context_.make<If>(span, condition, as<Block>(branch_statement(then)));
  if (otherwise) statement->otherwise = branch_statement(otherwise);
  return statement;
}

// A branch whose value, if it has one, is dropped.
Stmt *AstBuilder::branch_statement(Node *branch) {
  if (auto *statement = as<If>(branch)) return statement;
  if (auto *ternary = as<Ternary>(branch)) {
    auto *then = as<Block>(branch_statement(ternary->then));
    auto *statement = context_.make<If>(ternary->span, ternary->condition, then);
    statement->otherwise = branch_statement(ternary->otherwise);
    return statement;
  }
  auto *value = as<BlockExpr>(branch);
  auto *block = context_.make<Block>(value->span);
  block->statements = std::move(value->statements);
  if (value->result) {
    if (auto *call = as<Call>(value->result)) call->is_result_used = false;
    block->statements.push_back(context_.make<ExprStmt>(value->result->span, value->result));
  }
  return block;
}

Expr *AstBuilder::if_value(Grammar::IfValueContext *rule) {
  Depth depth(*this, 1);
  Expr *condition = expression(rule->expression());
  BlockExpr *then = block_expression(span(rule->block(0)), rule->block(0)->statements());
  Node *otherwise = nullptr;
  if (is_too_deep()) {
    return too_deep(span(rule));
  } else if (rule->ifStatement()) {
    otherwise = if_or_value(rule->ifStatement());
  } else {
    otherwise = block_expression(span(rule->block(1)), rule->block(1)->statements());
  }
  Node *node = branches(span(rule), condition, then, otherwise);
  if (auto *value = as<Ternary>(node)) return value;
  std::vector<Stmt *> statements{as<If>(node)};
  return context_.make<BlockExpr>(span(rule), std::move(statements), nullptr);
}

Stmt *AstBuilder::for_statement(Grammar::ForStatementContext *rule) {
  Grammar::ForRangeContext *range = rule->forRange();
  auto *variable = context_.make<Variable>(span(range->VARIABLE()), text(range->VARIABLE()));
  Expr *first = expression(range->expression(0));
  if (range->RANGE()) {
    Expr *end = expression(range->expression(1));
    return context_.make<ForRange>(span(rule), variable, first, end, block(rule->block()));
  }
  auto *access = as<MapAccess>(first);
  if (!access || access->key) {
    auto builder = diagnostics_->emit(first->span, kBadLoopRange);
    if (access) builder.hint("a loop goes over the whole map: write " + access->name);
  }
  auto *map = context_.make<Map>(first->span, access ? access->name : "@");
  return context_.make<ForMap>(span(rule), variable, map, block(rule->block()));
}

Stmt *AstBuilder::simple_statement(Grammar::SimpleStatementContext *rule) {
  if (rule->LET()) return let_statement(rule);
  if (rule->BREAK()) return context_.make<Break>(span(rule));
  if (rule->CONTINUE()) return context_.make<Continue>(span(rule));
  if (rule->RETURN()) {
    auto *statement = context_.make<Return>(span(rule));
    if (!rule->expression().empty()) statement->value = expression(rule->expression(0));
    return statement;
  }
  if (rule->assignmentOperator()) return assignment(rule);
  Expr *expr = expression(rule->expression(0));
  if (auto *call = as<Call>(expr)) call->is_result_used = false;
  return context_.make<ExprStmt>(span(rule), expr);
}

Stmt *AstBuilder::let_statement(Grammar::SimpleStatementContext *rule) {
  auto *variable = context_.make<Variable>(span(rule->VARIABLE()), text(rule->VARIABLE()));
  auto *statement = context_.make<Let>(span(rule), variable);
  if (rule->typeSpecification())
    statement->type_spec = type_specification(rule->typeSpecification());
  if (!rule->expression().empty()) statement->value = expression(rule->expression(0));
  return statement;
}

// `a += b` becomes `a = a + b`; each `a` is a tree of its own.
Stmt *AstBuilder::assignment(Grammar::SimpleStatementContext *rule) {
  Expr *target = expression(rule->expression(0));
  antlr4::Token *token = rule->assignmentOperator()->getStart();
  std::optional<BinaryOp> compound = compound_operator(token->getType());
  Expr *value = expression(rule->expression(1));
  auto *name = as<Identifier>(target);
  if (name && name->name == "_" && !compound) return context_.make<Discard>(span(rule), value);
  bool is_target = target->kind == NodeKind::kVariable || target->kind == NodeKind::kMapAccess;
  if (!is_target) {
    auto *index = as<Index>(target);
    const bool has_two_keys = index && index->object->kind == NodeKind::kMapAccess;
    diagnostics_->emit(target->span, kBadAssignmentTarget)
        .hint(name           ? "variables begin with $: $" + name->name
              : has_two_keys ? "several keys stand in one pair of brackets: @x[1, 2]"
                             : "");
    return context_.make<Discard>(span(rule), value);
  }
  if (compound) {
    Expr *left = Cloner(context_).clone(target);
    auto *sum = context_.make<Binary>(span(rule), *compound, left, value);
    sum->op_span = span(token);
    value = sum;
  }
  auto *statement = context_.make<Assign>(span(rule), target, value);
  statement->compound = compound;
  return statement;
}

}  // namespace awl::frontend
