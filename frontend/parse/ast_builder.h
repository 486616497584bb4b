// From the parse tree to the AST. Internal to this folder: the parser generator's types end here.
//
// Each function turns one rule of the grammar, of the same name, into nodes. What the grammar lets
// through although it means nothing is reported here: an assignment to what cannot be assigned to,
// a record without names, a number with a wrong suffix. A node is made in any case, so that one run
// finds all such errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "AwlParser.h"
#include "frontend/frontend.h"

namespace awl::frontend {

AWL_DIAGNOSTIC(kNestedTooDeeply, Error, "nested-too-deeply",
               "this is nested too deeply, or an expression too long");

class AstBuilder {
 public:
  using Grammar = grammar::AwlParser;

  // `text` is what was lexed; the nodes go into `context`.
  AstBuilder(ast::Context &context, Diagnostics &diagnostics, SourceId source,
             std::string_view text)
      : context_(context), diagnostics_(&diagnostics), source_(source), text_(text) {}

  ast::Program *program(Grammar::ProgramContext *rule);

 private:
  // ---- build_program.cpp
  void item(Grammar::ItemContext *rule, ast::Program *program);
  void config_block(Grammar::ConfigBlockContext *rule, ast::Program *program);
  ast::Import *import_statement(Grammar::ImportStatementContext *rule);
  ast::MapDeclaration *map_declaration(Grammar::MapDeclarationContext *rule);
  ast::Macro *macro_definition(Grammar::MacroDefinitionContext *rule);
  ast::Clause *clause(Grammar::ClauseContext *rule);
  ast::AttachPoint *attach_point(Grammar::AttachPointContext *rule);
  void attach_point_part(antlr4::Token *token, ast::AttachPoint *attach_point);
  ast::TypeSpec *type_specification(Grammar::TypeSpecificationContext *rule);
  void base_type(Grammar::BaseTypeContext *rule, ast::TypeSpec *spec);
  ast::TypeSpec::Modifier modifier(Grammar::ModifierContext *rule);

  // ---- build_c_definitions.cpp
  void directive(antlr4::Token *token, ast::Program *program);
  void define(antlr4::Token *token, size_t body, ast::Program *program);
  void include(antlr4::Token *token, size_t body, ast::Program *program);
  void undefine(antlr4::Token *token, size_t body, ast::Program *program);
  // `definition`: whose body it is, for its parameters.
  ast::Expr *define_value(size_t begin, size_t end, const ast::CDefinition &definition);
  void c_definition(Grammar::CDefinitionContext *rule, ast::Program *program);
  ast::CDefinition *c_aggregate(Grammar::CAggregateContext *rule);
  ast::CDefinition *c_enumeration(Grammar::CEnumerationContext *rule);
  void c_member(Grammar::CMemberContext *rule, ast::CDefinition *owner);
  struct CSpecifier;
  CSpecifier c_specifier(Grammar::CAggregateContext *aggregate,
                         Grammar::CEnumerationContext *enumeration,
                         Grammar::CTypeWordsContext *words);
  ast::CDefinition::Member c_declarator(const CSpecifier &specifier,
                                        Grammar::CDeclaratorContext *rule);
  void attributes(const std::vector<antlr4::tree::TerminalNode *> &list,
                  ast::CDefinition *definition);

  // ---- build_statements.cpp
  ast::Block *block(Grammar::BlockContext *rule);
  // With `result`, a last expression without ';' goes there instead of into the list.
  std::vector<ast::Stmt *> statements(Grammar::StatementsContext *rule, ast::Expr **result);
  void statement_group(Grammar::StatementGroupContext *rule, std::vector<ast::Stmt *> *list,
                       ast::Expr **result);
  ast::Stmt *block_statement(Grammar::BlockStatementContext *rule);
  ast::If *if_statement(Grammar::IfStatementContext *rule);
  ast::Expr *if_value(Grammar::IfValueContext *rule);
  // A Ternary when all branches have values, else an If.
  ast::Node *if_or_value(Grammar::IfStatementContext *rule);
  ast::Node *branches(Span span, ast::Expr *condition, ast::BlockExpr *then, ast::Node *otherwise);
  ast::Stmt *branch_statement(ast::Node *branch);
  ast::Stmt *for_statement(Grammar::ForStatementContext *rule);
  ast::Stmt *simple_statement(Grammar::SimpleStatementContext *rule);
  ast::Stmt *let_statement(Grammar::SimpleStatementContext *rule);
  ast::Stmt *assignment(Grammar::SimpleStatementContext *rule);

  // ---- build_expressions.cpp
  ast::Expr *expression(Grammar::ExpressionContext *rule);
  std::vector<ast::Expr *> expressions(const std::vector<Grammar::ExpressionContext *> &rules);
  ast::Expr *operations(Grammar::OperationsContext *rule);
  ast::Expr *operations_from(Grammar::OperationsContext *rule, size_t loosest, size_t &next);
  ast::Expr *unary(Grammar::UnaryContext *rule);
  ast::Expr *negate(Span span, ast::Expr *operand);
  ast::Expr *inc_dec(Span span, Span operator_span, bool is_increment, bool is_prefix,
                     ast::Expr *target);
  ast::Expr *postfix(Grammar::PostfixContext *rule);
  ast::Expr *suffix(Grammar::SuffixContext *rule, ast::Expr *object);
  ast::Expr *map_key(Grammar::SuffixContext *rule);
  ast::Expr *primary(Grammar::PrimaryContext *rule);
  ast::Expr *type_operator(Grammar::PrimaryContext *rule);
  ast::Expr *offset_of(Grammar::PrimaryContext *rule);
  ast::TypeSpec *type_or_expression(Grammar::TypeOrExpressionContext *rule, ast::Expr **operand);
  ast::Expr *name_or_call(Grammar::NameOrCallContext *rule);
  ast::Expr *parentheses(Grammar::ParenthesesContext *rule);
  ast::Expr *record(Grammar::ParenthesesContext *rule,
                    const std::vector<Grammar::ElementContext *> &elements);
  ast::BlockExpr *block_expression(Span span, Grammar::StatementsContext *rule);
  ast::Expr *integer(antlr4::Token *token);
  ast::Expr *positional(antlr4::Token *token);

  // ---- helpers
  std::string text(antlr4::Token *token) const {
    Span at = span(token);
    return std::string(text_.substr(at.begin, at.end - at.begin));
  }
  std::string text(antlr4::tree::TerminalNode *node) const { return text(node->getSymbol()); }
  Span span(antlr4::Token *token) const {
    auto begin = static_cast<uint32_t>(token->getStartIndex());
    auto end = static_cast<uint32_t>(token->getStopIndex() + 1);
    return {source_, begin, end > begin ? end : begin};
  }
  Span span(antlr4::tree::TerminalNode *node) const { return span(node->getSymbol()); }
  Span span(antlr4::ParserRuleContext *rule) const {
    Span begin = span(rule->getStart());
    antlr4::Token *stop = rule->getStop();
    // A rule that matched nothing stops before it starts.
    if (!stop || stop->getStartIndex() < rule->getStart()->getStartIndex())
      return {source_, begin.begin, begin.begin};
    return begin.to(span(stop));
  }
  std::string string(antlr4::tree::TerminalNode *node);

  // Counts how deep the tree is that is being built: later passes recurse over it.
  class Depth {
   public:
    Depth(AstBuilder &builder, size_t levels) : builder_(builder), levels_(levels) {
      builder_.depth_ += levels_;
    }
    ~Depth() { builder_.depth_ -= levels_; }
    Depth(const Depth &) = delete;

   private:
    AstBuilder &builder_;
    size_t levels_;
  };
  bool is_too_deep() const { return depth_ > kMaxTreeDepth; }
  ast::Expr *too_deep(Span span);

  static constexpr size_t kMaxTreeDepth = 1000;

  ast::Context &context_;
  Diagnostics *diagnostics_;
  SourceId source_;
  std::string_view text_;
  size_t depth_ = 0;
  bool has_reported_depth_ = false;
};

}  // namespace awl::frontend
