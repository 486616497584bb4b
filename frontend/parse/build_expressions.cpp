// Expressions.
#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <numeric>
#include <utility>

#include "frontend/builtins/builtin.h"
#include "frontend/parse/ast_builder.h"
#include "frontend/parse/literals.h"

namespace awl::frontend {

using namespace ast;

namespace {

AWL_DIAGNOSTIC(kBadIncDec, Error, "bad-increment", "{} needs a variable or a map", std::string);
AWL_DIAGNOSTIC(kBadPositional, Error, "bad-positional",
               "positional parameters are numbered from $1: there is no {}", std::string);
AWL_DIAGNOSTIC(kBadTupleIndex, Error, "bad-tuple-index", "'{}' is no index into a tuple",
               std::string);
AWL_DIAGNOSTIC(kBadIndex, Error, "bad-index",
               "an array has one index; only maps have several keys");
AWL_DIAGNOSTIC(kMissingElement, Error, "missing-element", "an element is missing before this ','");
AWL_DIAGNOSTIC(kBadRecordName, Error, "bad-record-name",
               "left of '=' in parentheses stands the name of a record's element");
AWL_DIAGNOSTIC(kMixedRecord, Error, "mixed-record",
               "either all elements in parentheses have names (a record), or none has (a tuple)");
AWL_DIAGNOSTIC(kNegativeTooLarge, Error, "negative-too-large",
               "the number -{} is smaller than -9223372036854775808, the smallest there is",
               uint64_t);

using Grammar = grammar::AwlParser;

// An operator of two operands, and how tight it binds, from 0: as in C.
struct Operator {
  size_t token;
  BinaryOp op;
  size_t tightness;
};
constexpr size_t kTightnesses = 10;
constexpr Operator kOperators[] = {
    {Grammar::OR_OR, BinaryOp::kLogicalOr, 0},
    {Grammar::AND_AND, BinaryOp::kLogicalAnd, 1},
    {Grammar::OR, BinaryOp::kOr, 2},
    {Grammar::XOR, BinaryOp::kXor, 3},
    {Grammar::AND, BinaryOp::kAnd, 4},
    {Grammar::EQUAL, BinaryOp::kEq, 5},
    {Grammar::NOT_EQUAL, BinaryOp::kNe, 5},
    {Grammar::LESS, BinaryOp::kLt, 6},
    {Grammar::LESS_EQUAL, BinaryOp::kLe, 6},
    {Grammar::GREATER, BinaryOp::kGt, 6},
    {Grammar::GREATER_EQUAL, BinaryOp::kGe, 6},
    {Grammar::LEFT, BinaryOp::kShl, 7},
    {Grammar::RIGHT, BinaryOp::kShr, 7},
    {Grammar::PLUS, BinaryOp::kAdd, 8},
    {Grammar::MINUS, BinaryOp::kSub, 8},
    {Grammar::STAR, BinaryOp::kMul, 9},
    {Grammar::SLASH, BinaryOp::kDiv, 9},
    {Grammar::PERCENT, BinaryOp::kMod, 9},
};

antlr4::ParserRuleContext *rule_at(antlr4::ParserRuleContext *rule, size_t child) {
  return static_cast<antlr4::ParserRuleContext *>(rule->children[child]);
}

antlr4::Token *token_at(antlr4::ParserRuleContext *rule, size_t child) {
  return static_cast<antlr4::tree::TerminalNode *>(rule->children[child])->getSymbol();
}

const Operator &operator_at(Grammar::OperationsContext *rule, size_t child) {
  const size_t token = token_at(rule, child)->getType();
  const auto *found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                   [&](const Operator &one) { return one.token == token; });
  assert(found != std::end(kOperators));
  return *found;
}

// The levels of the tree that a row of operators makes, at most: operators that bind alike nest to
// the left. Long rows in different operands are taken as if one stood in the other.
size_t operator_levels(Grammar::OperationsContext *rule) {
  std::array<size_t, kTightnesses> row{}, longest{};
  for (size_t i = 1; i < rule->children.size(); i += 2) {
    const size_t level = operator_at(rule, i).tightness;
    std::fill(row.begin() + level + 1, row.end(), 0);
    longest[level] = std::max(longest[level], ++row[level]);
  }
  return std::accumulate(longest.begin(), longest.end(), size_t{0});
}

}  // namespace

Expr *AstBuilder::expression(Grammar::ExpressionContext *rule) {
  Depth depth(*this, 1);
  if (is_too_deep()) return too_deep(span(rule));
  Expr *condition = operations(rule->operations());
  if (!rule->QUESTION()) return condition;
  std::vector<Grammar::ExpressionContext *> branches = rule->expression();
  Expr *then = branches.size() > 1 ? expression(branches[0]) : nullptr;
  return context_.make<Ternary>(span(rule), condition, then, expression(branches.back()));
}

std::vector<Expr *> AstBuilder::expressions(
    const std::vector<Grammar::ExpressionContext *> &rules) {
  std::vector<Expr *> list;
  list.reserve(rules.size());
  for (Grammar::ExpressionContext *rule : rules) list.push_back(expression(rule));
  return list;
}

Expr *AstBuilder::operations(Grammar::OperationsContext *rule) {
  if (rule->children.size() == 1) return unary(rule->unary(0));
  Depth depth(*this, operator_levels(rule));
  if (is_too_deep()) return too_deep(span(rule));
  size_t next = 0;
  return operations_from(rule, 0, next);
}

// From the operand at `next` on, what is joined by operators that bind at least as tight as
// `loosest`.
Expr *AstBuilder::operations_from(Grammar::OperationsContext *rule, size_t loosest, size_t &next) {
  // Not left->span: parentheses around it belong to the whole.
  const Span first = span(rule_at(rule, next));
  Expr *left = unary(static_cast<Grammar::UnaryContext *>(rule_at(rule, next++)));
  while (next + 1 < rule->children.size()) {
    const Operator &found = operator_at(rule, next);
    if (found.tightness < loosest) break;
    const Span op_span = span(token_at(rule, next));
    Expr *right = operations_from(rule, found.tightness + 1, ++next);
    const Span whole = first.to(span(rule_at(rule, next - 1)));
    auto *node = context_.make<Binary>(whole, found.op, left, right);
    node->op_span = op_span;
    left = node;
  }
  return left;
}

Expr *AstBuilder::unary(Grammar::UnaryContext *rule) {
  if (rule->postfix()) return postfix(rule->postfix());
  Depth depth(*this, 1);
  if (is_too_deep()) return too_deep(span(rule));
  if (rule->OPEN_CAST()) {
    TypeSpec *target = type_specification(rule->typeSpecification());
    return context_.make<Cast>(span(rule), target, unary(rule->unary()));
  }
  Expr *operand = unary(rule->unary());
  Span token = span(rule->getStart());
  switch (rule->getStart()->getType()) {
    case Grammar::INCREMENT:
      return inc_dec(span(rule), token, true, true, operand);
    case Grammar::DECREMENT:
      return inc_dec(span(rule), token, false, true, operand);
    case Grammar::MINUS:
      return negate(span(rule), operand);
    case Grammar::NOT:
      return context_.make<Unary>(span(rule), UnaryOp::kNot, operand);
    case Grammar::COMPLEMENT:
      return context_.make<Unary>(span(rule), UnaryOp::kComplement, operand);
    case Grammar::STAR:
      return context_.make<Unary>(span(rule), UnaryOp::kDereference, operand);
    case Grammar::COMPTIME:
      return context_.make<Unary>(span(rule), UnaryOp::kComptime, operand);
    default:
      return context_.make<Unary>(span(rule), UnaryOp::kAddressOf, operand);
  }
}

Expr *AstBuilder::negate(Span span, Expr *operand) {
  auto *literal = as<IntegerLiteral>(operand);
  if (!literal || literal->is_negative) {
    return context_.make<Unary>(span, UnaryOp::kNegate, operand);
  }
  if (literal->value > uint64_t{1} << 63) {
    diagnostics_->emit(span, kNegativeTooLarge, literal->value);
  }
  literal->span = span;
  literal->is_negative = literal->value != 0;
  literal->value = 0 - literal->value;
  return literal;
}

Expr *AstBuilder::inc_dec(Span span, Span operator_span, bool is_increment, bool is_prefix,
                          Expr *target) {
  if (target->kind != NodeKind::kVariable && target->kind != NodeKind::kMapAccess) {
    diagnostics_->emit(operator_span, kBadIncDec, is_increment ? "++" : "--");
    return target;
  }
  return context_.make<IncDec>(span, is_increment, is_prefix, target);
}

Expr *AstBuilder::postfix(Grammar::PostfixContext *rule) {
  Depth depth(*this, rule->children.size());
  if (is_too_deep()) return too_deep(span(rule));
  size_t next = 1;
  Expr *object = nullptr;
  auto *first = static_cast<Grammar::PrimaryContext *>(rule_at(rule, 0));
  if (first->MAP()) {
    Expr *key = nullptr;
    if (rule->children.size() > 1) {
      key = map_key(static_cast<Grammar::SuffixContext *>(rule_at(rule, 1)));
      if (key) ++next;
    }
    Span whole = span(first).to(span(rule_at(rule, next - 1)));
    object = context_.make<MapAccess>(whole, text(first->MAP()), key);
  } else {
    object = primary(first);
  }
  for (; next < rule->children.size(); ++next) {
    object = suffix(static_cast<Grammar::SuffixContext *>(rule_at(rule, next)), object);
  }
  return object;
}

// The key in `[key]` or `[key, key]`, null for another suffix.
Expr *AstBuilder::map_key(Grammar::SuffixContext *rule) {
  if (!rule->OPEN_BRACKET()) return nullptr;
  std::vector<Grammar::ExpressionContext *> keys = rule->expression();
  if (keys.size() == 1) return expression(keys[0]);
  return context_.make<Tuple>(span(keys.front()).to(span(keys.back())), expressions(keys));
}

Expr *AstBuilder::suffix(Grammar::SuffixContext *rule, Expr *object) {
  // From where the object begins; its parentheses are left out.
  Span whole = object->span.to(span(rule));
  if (auto *field = rule->fieldName()) {
    return context_.make<FieldAccess>(whole, object, text(field->getStart()), span(field));
  }
  if (auto *number = rule->NUMBER()) {
    std::string digits = text(number);
    uint32_t index = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      diagnostics_->emit(span(number), kBadTupleIndex, digits);
    }
    return context_.make<TupleAccess>(whole, object, index);
  }
  if (rule->OPEN_BRACKET()) {
    std::vector<Grammar::ExpressionContext *> indices = rule->expression();
    if (indices.size() > 1) diagnostics_->emit(span(indices[1]), kBadIndex);
    return context_.make<Index>(whole, object, expression(indices[0]));
  }
  return inc_dec(whole, span(rule), rule->INCREMENT() != nullptr, false, object);
}

Expr *AstBuilder::primary(Grammar::PrimaryContext *rule) {
  antlr4::Token *token = rule->getStart();
  switch (token->getType()) {
    case Grammar::NUMBER:
      return integer(token);
    case Grammar::STRING:
      return context_.make<StringLiteral>(span(rule), string(rule->STRING()));
    case Grammar::TRUE:
      return context_.make<BoolLiteral>(span(rule), true);
    case Grammar::FALSE:
      return context_.make<BoolLiteral>(span(rule), false);
    case Grammar::VARIABLE:
      return context_.make<Variable>(span(rule), text(token));
    case Grammar::POSITIONAL:
      return positional(token);
    case Grammar::POSITIONAL_COUNT:
      return context_.make<PositionalCount>(span(rule));
    case Grammar::IDENTIFIER:
      return name_or_call(rule->nameOrCall());
    case Grammar::OPEN:
      return parentheses(rule->parentheses());
    case Grammar::OPEN_BRACE:
      return block_expression(span(rule), rule->blockExpression()->statements());
    case Grammar::IF_VALUE:
      return if_value(rule->ifValue());
    case Grammar::OFFSETOF:
      return offset_of(rule);
    default:
      return type_operator(rule);
  }
}

Expr *AstBuilder::integer(antlr4::Token *token) {
  Number number = decode_number(text(token), span(token), *diagnostics_);
  auto *literal = context_.make<IntegerLiteral>(span(token), number.value);
  literal->is_duration = number.is_duration;
  return literal;
}

Expr *AstBuilder::positional(antlr4::Token *token) {
  std::string digits = text(token);
  uint32_t index = 0;
  auto [end, error] = std::from_chars(digits.data() + 1, digits.data() + digits.size(), index);
  if (error != std::errc() || index == 0) diagnostics_->emit(span(token), kBadPositional, digits);
  return context_.make<PositionalParameter>(span(token), index);
}

// The type in sizeof(…) and the like, or null with `operand` set.
TypeSpec *AstBuilder::type_or_expression(Grammar::TypeOrExpressionContext *rule, Expr **operand) {
  if (!rule->typeSpecification()) {
    *operand = expression(rule->expression());
    return nullptr;
  }
  TypeSpec *type = type_specification(rule->typeSpecification());
  // A name alone is a type, unless it is a builtin value: sizeof(pid).
  bool is_name = type->base == TypeSpec::Base::kNamed && type->modifiers.empty();
  const Builtin *builtin = is_name ? find_builtin(type->name) : nullptr;
  if (!builtin || !builtin->is_value) return type;
  *operand = context_.make<Identifier>(type->span, type->name);
  return nullptr;
}

// sizeof, typeof, typeinfo.
Expr *AstBuilder::type_operator(Grammar::PrimaryContext *rule) {
  Expr *operand = nullptr;
  TypeSpec *spec = type_or_expression(rule->typeOrExpression(), &operand);
  if (rule->SIZEOF()) {
    auto *node = context_.make<Sizeof>(span(rule));
    node->type_spec = spec;
    node->operand = operand;
    return node;
  }
  if (!spec) {
    spec = context_.make<TypeSpec>(span(rule));
    spec->base = TypeSpec::Base::kTypeof;
    spec->typeof_expr = operand;
  }
  auto *type = context_.make<Typeof>(span(rule), spec);
  if (rule->TYPEOF()) return type;
  return context_.make<Call>(span(rule), "typeinfo", std::vector<Expr *>{type},
                             span(rule->TYPEINFO()));
}

Expr *AstBuilder::offset_of(Grammar::PrimaryContext *rule) {
  auto *node = context_.make<Offsetof>(span(rule));
  if (rule->typeSpecification()) {
    node->type_spec = type_specification(rule->typeSpecification());
  } else {
    node->operand = expression(rule->expression());
  }
  for (Grammar::FieldNameContext *field : rule->fieldPath()->fieldName()) {
    node->path.push_back(text(field->getStart()));
  }
  return node;
}

Expr *AstBuilder::name_or_call(Grammar::NameOrCallContext *rule) {
  Span name = span(rule->IDENTIFIER());
  if (!rule->arguments()) return context_.make<Identifier>(name, text(rule->IDENTIFIER()));
  return context_.make<Call>(span(rule), text(rule->IDENTIFIER()),
                             expressions(rule->arguments()->expression()), name);
}

// `(x)` is x alone; with a comma a tuple, with names a record.
Expr *AstBuilder::parentheses(Grammar::ParenthesesContext *rule) {
  std::vector<Grammar::ElementContext *> elements = rule->element();
  bool is_record = false;
  for (Grammar::ElementContext *element : elements) is_record = is_record || element->ASSIGN();
  antlr4::Token *last = nullptr;
  for (antlr4::tree::TerminalNode *comma : rule->COMMA()) {
    antlr4::Token *token = comma->getSymbol();
    if (last && token->getTokenIndex() == last->getTokenIndex() + 1) {
      diagnostics_->emit(span(token), kMissingElement);
    }
    last = token;
  }
  if (is_record) return record(rule, elements);
  if (elements.size() == 1 && !last) return expression(elements[0]->expression(0));
  std::vector<Expr *> list;
  for (Grammar::ElementContext *element : elements)
    list.push_back(expression(element->expression(0)));
  return context_.make<Tuple>(span(rule), std::move(list));
}

Expr *AstBuilder::record(Grammar::ParenthesesContext *rule,
                         const std::vector<Grammar::ElementContext *> &elements) {
  auto *record = context_.make<Record>(span(rule));
  for (Grammar::ElementContext *element : elements) {
    if (!element->ASSIGN()) {
      diagnostics_->emit(span(element), kMixedRecord);
      continue;
    }
    auto *name = as<Identifier>(expression(element->expression(0)));
    if (!name) {
      diagnostics_->emit(span(element), kBadRecordName).hint("'==' compares");
    }
    record->names.push_back(name ? name->name : "");
    record->elements.push_back(expression(element->expression(1)));
  }
  return record;
}

}  // namespace awl::frontend
