// Where code ends and attach points begin again: the part of the lexer that counts.
//
// The lexer's mode stack is the nesting of braces. A clause's code ends with its `}`, a predicate
// with a `/` that a `{` follows, an import with its string, a map's declaration with its `)`, other
// definitions with their `}` or `;`, a typedef with its `;` alone.
#pragma once

#include "antlr4-runtime.h"

namespace awl::grammar {

class LexerBase : public antlr4::Lexer {
 public:
  explicit LexerBase(antlr4::CharStream *input) : antlr4::Lexer(input) {}

 protected:
  enum class Item { kClause, kPredicate, kDefinition, kTypedef, kImport, kMapDeclaration };

  void begin_definition() { item_ = Item::kDefinition; }
  void begin_typedef() { item_ = Item::kTypedef; }
  void begin_import() { item_ = Item::kImport; }
  void begin_map_declaration() {
    item_ = Item::kMapDeclaration;
    parentheses_ = 0;
  }
  void begin_predicate() { item_ = Item::kPredicate; }

  // A '}' leaves its braces, and with the outermost ones the definition.
  void close_brace() {
    popMode();
    if (item_ != Item::kClause && item_ != Item::kTypedef && is_outermost()) end_item();
  }

  void semicolon() {
    if (item_ != Item::kClause && is_outermost()) end_item();
  }

  void string() {
    if (item_ == Item::kImport && is_outermost()) end_item();
  }

  void open() { ++parentheses_; }

  void close() {
    if (parentheses_ > 0) --parentheses_;
    if (item_ == Item::kMapDeclaration && parentheses_ == 0 && is_outermost()) end_item();
  }

  // A '/' is a division, or the end of the predicate when a '{' comes next.
  void slash(size_t end_predicate) {
    if (item_ != Item::kPredicate || !is_outermost() || !is_brace_next()) return;
    setType(end_predicate);
    end_item();
  }

 private:
  // In code, but in no braces other than a clause's own.
  bool is_outermost() const { return modeStack.size() == 1; }

  void end_item() {
    popMode();
    item_ = Item::kClause;
    parentheses_ = 0;
  }

  // Looks past spaces and comments. LA(1) is the character after the token.
  bool is_brace_next() {
    ssize_t at = 1;
    for (;;) {
      size_t c = _input->LA(at);
      if (c == '{') return true;
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v') {
        ++at;
      } else if (c == '/' && _input->LA(at + 1) == '/') {
        while (_input->LA(at) != antlr4::IntStream::EOF && _input->LA(at) != '\n') ++at;
      } else if (c == '/' && _input->LA(at + 1) == '*') {
        for (at += 2; _input->LA(at) != '*' || _input->LA(at + 1) != '/'; ++at) {
          if (_input->LA(at) == antlr4::IntStream::EOF) return false;
        }
        at += 2;
      } else {
        return false;
      }
    }
  }

  Item item_ = Item::kClause;
  int parentheses_ = 0;
};

}  // namespace awl::grammar
