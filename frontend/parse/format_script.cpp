// Walks the parse tree and writes its tokens anew: each rule of the grammar says where lines end
// and where spaces stand; what is between the tokens is line_writer.h's.
#include "frontend/parse/format_script.h"

#include <memory>

#include "frontend/parse/line_writer.h"
#include "frontend/parse/parse_tree.h"

namespace awl::frontend {
namespace {

using Grammar = grammar::AwlParser;
using antlr4::ParserRuleContext;
using antlr4::Token;
using antlr4::tree::TerminalNode;

size_t begin_of(const Token *token) { return token->getStartIndex(); }
size_t end_of(const Token *token) { return token->getStopIndex() + 1; }

class Formatter {
 public:
  explicit Formatter(const std::string &text) : text_(text), out_(text) {}

  std::string format(Grammar::ProgramContext *program) {
    for (Grammar::ItemContext *child : program->item()) item(child);
    return out_.finish();
  }

 private:
  // ---- tokens
  void token(Token *at, std::string_view spelling) {
    out_.token(begin_of(at), end_of(at), spelling);
  }
  void token(TerminalNode *node) {
    Token *at = node->getSymbol();
    token(at, std::string_view(text_).substr(begin_of(at), end_of(at) - begin_of(at)));
  }
  void optional_token(TerminalNode *node) {
    if (node) token(node);
  }
  static size_t type_of(antlr4::tree::ParseTree *node) {
    auto *terminal = dynamic_cast<TerminalNode *>(node);
    return terminal ? terminal->getSymbol()->getType() : Token::INVALID_TYPE;
  }
  static TerminalNode *terminal(ParserRuleContext *rule, size_t child) {
    return dynamic_cast<TerminalNode *>(rule->children.at(child));
  }

  // ---- the head of a script
  void item(Grammar::ItemContext *rule) {
    if (auto *child = rule->clause()) return clause(child);
    if (auto *child = rule->configBlock()) return config_block(child);
    if (auto *child = rule->macroDefinition()) return macro_definition(child);
    if (auto *child = rule->importStatement()) return import_statement(child);
    if (auto *child = rule->mapDeclaration()) return map_declaration(child);
    if (auto *semicolon = rule->SEMICOLON()) {
      Token *at = semicolon->getSymbol();
      out_.skip(begin_of(at), end_of(at));
      return out_.append_to_last(";");
    }
    out_.verbatim(begin_of(rule->getStart()), end_of(rule->getStop()));
  }

  void config_block(Grammar::ConfigBlockContext *rule) {
    token(rule->CONFIG());
    out_.space();
    token(rule->ASSIGN());
    out_.space();
    open_block(rule->OPEN_BRACE());
    for (antlr4::tree::ParseTree *child : rule->children) {
      if (auto *entry = dynamic_cast<Grammar::ConfigEntryContext *>(child)) {
        token(entry->IDENTIFIER());
        out_.space();
        token(entry->ASSIGN());
        out_.space();
        walk(entry->configValue());
        out_.add(";");
        out_.end_line();
      } else if (type_of(child) == Grammar::SEMICOLON || type_of(child) == Grammar::COMMA) {
        Token *at = dynamic_cast<TerminalNode *>(child)->getSymbol();
        out_.skip(begin_of(at), end_of(at));
      }
    }
    close_block(rule->CLOSE_BRACE());
    out_.end_line();
  }

  void import_statement(Grammar::ImportStatementContext *rule) {
    token(rule->IMPORT());
    out_.space();
    token(rule->STRING());
    out_.end_line();
  }

  void map_declaration(Grammar::MapDeclarationContext *rule) {
    token(rule->DECLARE());
    out_.space();
    token(rule->MAP());
    out_.space();
    token(rule->ASSIGN());
    out_.space();
    token(rule->IDENTIFIER());
    token(rule->OPEN());
    walk(rule->expression());
    token(rule->CLOSE());
    out_.end_line();
  }

  void macro_definition(Grammar::MacroDefinitionContext *rule) {
    for (antlr4::tree::ParseTree *child : rule->children) {
      if (child == rule->block()) {
        out_.end_line();
        block(rule->block(), true);
        out_.end_line();
      } else {
        walk_child(child);
        if (type_of(child) == Grammar::MACRO) out_.space();
      }
    }
  }

  // ---- clauses
  void clause(Grammar::ClauseContext *rule) {
    for (antlr4::tree::ParseTree *child : rule->children) {
      if (auto *body = dynamic_cast<Grammar::BlockContext *>(child)) {
        out_.end_line();
        block(body, false);
        out_.end_line();
      } else if (auto *point = dynamic_cast<Grammar::AttachPointContext *>(child)) {
        attach_point(point);
      } else {
        if (type_of(child) == Grammar::PREDICATE) out_.end_line();
        walk_child(child);
        if (type_of(child) == Grammar::COMMA) out_.end_line();
      }
    }
  }

  void attach_point(Grammar::AttachPointContext *rule) {
    for (size_t i = 0; i < rule->children.size(); ++i) {
      TerminalNode *part = terminal(rule, i);
      if (type_of(part) != Grammar::PART) {
        token(part);
        continue;
      }
      Token *at = part->getSymbol();
      std::string text = text_.substr(begin_of(at), end_of(at) - begin_of(at));
      text.erase(1, text.find_first_not_of(" \t", 1) - 1);
      token(at, text);
    }
  }

  // ---- statements
  void open_block(TerminalNode *brace) {
    token(brace);
    out_.end_line();
    out_.indent();
  }
  void close_block(TerminalNode *brace) {
    out_.end_line();
    // What stands before the brace belongs into the block.
    Token *at = brace->getSymbol();
    out_.skip(begin_of(at), begin_of(at));
    out_.end_line();
    out_.unindent();
    token(brace);
  }

  // `has_value`: a last statement without ';' is the block's value and stays without one.
  void block(Grammar::BlockContext *rule, bool has_value) {
    open_block(rule->OPEN_STATEMENT() ? rule->OPEN_STATEMENT() : rule->OPEN_BRACE());
    statements(rule->statements(), has_value);
    close_block(rule->CLOSE_BRACE());
  }

  void statements(Grammar::StatementsContext *rule, bool has_value) {
    for (size_t i = 0; i < rule->children.size(); ++i) {
      if (auto *group = dynamic_cast<Grammar::StatementGroupContext *>(rule->children[i])) {
        bool is_last = i + 1 == rule->children.size() && !group->simpleStatement();
        for (Grammar::BlockStatementContext *child : group->blockStatement()) {
          // An `if` that comes last in a block with a value is the value.
          block_statement(child, has_value && is_last && child == group->blockStatement().back());
          out_.end_line();
        }
        if (!group->simpleStatement()) continue;
        simple_statement(group->simpleStatement());
        if (i + 1 < rule->children.size()) {
          token(terminal(rule, ++i));
        } else if (!has_value) {
          out_.add(";");
        }
        out_.end_line();
      } else {
        Token *at = terminal(rule, i)->getSymbol();  // a ';' too many
        out_.skip(begin_of(at), end_of(at));
      }
    }
  }

  void block_statement(Grammar::BlockStatementContext *rule, bool has_value) {
    if (auto *child = rule->ifStatement()) return if_statement(child, has_value);
    if (auto *child = rule->statementBlock()) {
      open_block(child->OPEN_STATEMENT());
      statements(child->statements(), has_value);
      return close_block(child->CLOSE_BRACE());
    }
    auto *child = dynamic_cast<ParserRuleContext *>(rule->children.front());
    for (antlr4::tree::ParseTree *part : child->children) {
      auto *body = dynamic_cast<Grammar::BlockContext *>(part);
      if (body || part == child->children[1]) out_.space();
      if (body) {
        block(body, false);
      } else {
        walk_child(part);
      }
    }
  }

  void if_statement(Grammar::IfStatementContext *rule, bool has_value) {
    token(rule->IF());
    out_.space();
    walk(rule->expression());
    out_.space();
    block(rule->block(0), has_value);
    if (!rule->ELSE()) return;
    out_.space();
    token(rule->ELSE());
    out_.space();
    if (rule->ifStatement()) {
      if_statement(rule->ifStatement(), has_value);
    } else {
      block(rule->block(1), has_value);
    }
  }

  void simple_statement(Grammar::SimpleStatementContext *rule) {
    for (antlr4::tree::ParseTree *child : rule->children) {
      bool is_assignment = dynamic_cast<Grammar::AssignmentOperatorContext *>(child) != nullptr ||
                           type_of(child) == Grammar::ASSIGN;
      if (is_assignment) out_.space();
      walk_child(child);
      size_t type = type_of(child);
      if (is_assignment || type == Grammar::LET || type == Grammar::RETURN ||
          type == Grammar::COLON)
        out_.space();
    }
  }

  // ---- expressions
  void walk_child(antlr4::tree::ParseTree *child) {
    if (auto *rule = dynamic_cast<ParserRuleContext *>(child)) return walk(rule);
    auto *node = dynamic_cast<TerminalNode *>(child);
    size_t type = type_of(node);
    if (type == Grammar::COMMA || type == Grammar::CLOSE || type == Grammar::CLOSE_BRACKET)
      out_.no_space();
    token(node);
    if (type == Grammar::COMMA) out_.breakable_space();
  }

  void walk(ParserRuleContext *rule) {
    switch (rule->getRuleIndex()) {
      case Grammar::RuleExpression:
        return ternary(rule);
      case Grammar::RuleOperations:
        return operations(rule);
      case Grammar::RuleForRange:
        return for_range(rule);
      case Grammar::RuleTypeSpecification:
        return type_specification(rule);
      case Grammar::RuleBlockExpression:
        return block_expression(static_cast<Grammar::BlockExpressionContext *>(rule));
      default:
        for (antlr4::tree::ParseTree *child : rule->children) walk_child(child);
    }
  }

  void operations(ParserRuleContext *rule) {
    for (size_t i = 0; i < rule->children.size(); ++i) {
      const bool is_operator = i % 2 == 1;
      if (is_operator) out_.space();
      walk_child(rule->children[i]);
      if (!is_operator) continue;
      out_.space();
      const size_t type = type_of(rule->children[i]);
      if (type == Grammar::OR_OR || type == Grammar::AND_AND) out_.breakable_space();
    }
  }

  // `a ? b : c`, `a ?: c`
  void ternary(ParserRuleContext *rule) {
    for (antlr4::tree::ParseTree *child : rule->children) {
      size_t type = type_of(child);
      if (type == Grammar::COLON && type_of(previous(rule, child)) == Grammar::QUESTION) {
        out_.no_space();
      } else if (type == Grammar::COLON || type == Grammar::QUESTION) {
        out_.space();
      }
      walk_child(child);
      if (type == Grammar::COLON || type == Grammar::QUESTION) out_.space();
    }
  }
  static antlr4::tree::ParseTree *previous(ParserRuleContext *rule,
                                           antlr4::tree::ParseTree *child) {
    for (size_t i = 1; i < rule->children.size(); ++i) {
      if (rule->children[i] == child) return rule->children[i - 1];
    }
    return nullptr;
  }

  void for_range(ParserRuleContext *rule) {
    for (antlr4::tree::ParseTree *child : rule->children) {
      bool is_colon = type_of(child) == Grammar::COLON;
      if (is_colon) out_.space();
      walk_child(child);
      if (is_colon) out_.space();
    }
  }

  // Where spaces stand in a type is left to its writer: `struct s *`, `uint8*`.
  void type_specification(ParserRuleContext *rule) {
    size_t last_end = begin_of(rule->getStart());
    type_tokens(rule, last_end);
  }
  void type_tokens(ParserRuleContext *rule, size_t &last_end) {
    for (antlr4::tree::ParseTree *child : rule->children) {
      auto *inner = dynamic_cast<ParserRuleContext *>(child);
      bool is_type = inner && (inner->getRuleIndex() == Grammar::RuleBaseType ||
                               inner->getRuleIndex() == Grammar::RuleModifier);
      if (is_type) {
        type_tokens(inner, last_end);
        continue;
      }
      Token *start = inner ? inner->getStart() : static_cast<TerminalNode *>(child)->getSymbol();
      Token *stop = inner ? inner->getStop() : start;
      if (!inner && begin_of(start) > last_end && type_of(child) != Grammar::CLOSE_BRACKET)
        out_.space();
      walk_child(child);
      last_end = end_of(stop);
    }
  }

  void block_expression(Grammar::BlockExpressionContext *rule) {
    open_block(rule->OPEN_BRACE());
    statements(rule->statements(), true);
    close_block(rule->CLOSE_BRACE());
  }

  const std::string &text_;
  LineWriter out_;
};

}  // namespace

std::optional<std::string> format_script(Compilation &compilation, std::string name,
                                         std::string text) {
  // What the tree's builder finds wrong is wrong here, too.
  if (!parse(compilation, name, text)) return std::nullopt;
  ParseTree tree(compilation, std::move(name), text);
  if (!tree.program()) return std::nullopt;
  return Formatter(text).format(tree.program());
}

}  // namespace awl::frontend
