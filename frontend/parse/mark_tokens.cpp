#include "frontend/parse/mark_tokens.h"

#include <algorithm>
#include <string>
#include <vector>

#include "frontend/builtins/builtin.h"

namespace awl::frontend {
namespace {

using Lexer = grammar::AwlLexer;

class Marker {
 public:
  Marker(TokenList &list, const ValueNames &values)
      : list_(list), tokens_(list.tokens()), values_(values) {}

  void run() {
    match_brackets();
    collect_values();
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (type(i) == Lexer::OPEN) {
        mark_parenthesis(i);
      } else if (type(i) == Lexer::OPEN_BRACE && i > 0 && begins_statement(i)) {
        tokens_[i]->setType(Lexer::OPEN_STATEMENT);
      } else if (type(i) == Lexer::IF && i > 0 && !begins_statement(i) &&
                 type(i - 1) != Lexer::ELSE) {
        tokens_[i]->setType(Lexer::IF_VALUE);
      }
    }
  }

 private:
  size_t type(size_t i) const {
    return i < tokens_.size() ? tokens_[i]->getType() : antlr4::Token::EOF;
  }

  // Where the bracket opened at `i` is closed; 0 when it is not.
  void match_brackets() {
    closers_.assign(tokens_.size(), 0);
    std::vector<size_t> open;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      switch (type(i)) {
        case Lexer::OPEN:
        case Lexer::OPEN_BRACKET:
        case Lexer::OPEN_BRACE:
          open.push_back(i);
          break;
        case Lexer::CLOSE:
          close(open, Lexer::OPEN, i);
          break;
        case Lexer::CLOSE_BRACKET:
          close(open, Lexer::OPEN_BRACKET, i);
          break;
        case Lexer::CLOSE_BRACE:
          close(open, Lexer::OPEN_BRACE, i);
          break;
        default:
          break;
      }
    }
  }

  // A closer without its opener is left alone; a '}' also ends what was left open inside it.
  void close(std::vector<size_t> &open, size_t opener, size_t i) {
    if (opener == Lexer::OPEN_BRACE) {
      while (!open.empty() && type(open.back()) != opener) open.pop_back();
    }
    if (open.empty() || type(open.back()) != opener) return;
    closers_[open.back()] = i;
    open.pop_back();
  }

  bool begins_statement(size_t i) const {
    switch (type(i - 1)) {
      case Lexer::SEMICOLON:
      case Lexer::OPEN_BRACE:
      case Lexer::OPEN_STATEMENT:
      case Lexer::CLOSE_BRACE:
        return true;
      default:
        return false;
    }
  }

  void mark_parenthesis(size_t i) {
    size_t previous = i > 0 ? type(i - 1) : antlr4::Token::EOF;
    size_t after = 0;
    switch (previous) {
      case Lexer::SIZEOF:
      case Lexer::TYPEOF:
      case Lexer::TYPEINFO:
        after = skip_type(i + 1);
        if (after && type(after) == Lexer::CLOSE) tokens_[i]->setType(Lexer::OPEN_TYPE);
        return;
      case Lexer::OFFSETOF:
        after = skip_type(i + 1);
        if (after && type(after) == Lexer::COMMA) tokens_[i]->setType(Lexer::OPEN_TYPE);
        return;
      case Lexer::IDENTIFIER:
        return;  // a call
      case Lexer::NOT:
        if (i > 1 && type(i - 2) == Lexer::IDENTIFIER) return;  // a macro's call, `m!(…)`
        break;
      default:
        break;
    }
    after = skip_type(i + 1);
    if (!after || type(after) != Lexer::CLOSE || !begins_operand(type(after + 1))) return;
    if (is_builtin_value(i + 1, after)) return;
    if (after == i + 2 && is_value(i + 1, type(after + 1))) return;
    tokens_[i]->setType(Lexer::OPEN_CAST);
  }

  // What may follow a cast. '+' may not: `(x)+1` is a sum.
  static bool begins_operand(size_t type) {
    switch (type) {
      case Lexer::IDENTIFIER:
      case Lexer::NUMBER:
      case Lexer::STRING:
      case Lexer::TRUE:
      case Lexer::FALSE:
      case Lexer::VARIABLE:
      case Lexer::MAP:
      case Lexer::POSITIONAL:
      case Lexer::POSITIONAL_COUNT:
      case Lexer::OPEN:
      case Lexer::MINUS:
      case Lexer::NOT:
      case Lexer::COMPLEMENT:
      case Lexer::STAR:
      case Lexer::AND:
      case Lexer::SIZEOF:
      case Lexer::OFFSETOF:
      case Lexer::TYPEOF:
      case Lexer::TYPEINFO:
        return true;
      default:
        return false;
    }
  }

  // Whether the tokens [i, end) are a builtin with a value, or an element of one: `pid`, `args[1]`.
  bool is_builtin_value(size_t i, size_t end) const {
    if (type(i) != Lexer::IDENTIFIER || (end != i + 1 && type(i + 1) != Lexer::OPEN_BRACKET)) {
      return false;
    }
    for (size_t at = i + 1; at < end; at = closers_[at] + 1) {
      if (type(at) != Lexer::OPEN_BRACKET) return false;  // `args[1]*` is a type
    }
    const Builtin *builtin = find_builtin(list_.text(tokens_[i].get()));
    return builtin && builtin->min_arguments == 0 && !builtin->is_aggregation;
  }

  // Whether a name is one of a value, not of a type, before what may be an operator.
  bool is_value(size_t i, size_t next) const {
    if (next != Lexer::STAR && next != Lexer::MINUS && next != Lexer::AND) return false;
    const std::string_view name = list_.text(tokens_[i].get());
    return values_.contains(name) || own_values_.contains(name);
  }

  // Parameters of macros, enumerators, and #defines whose text cannot be a type.
  void collect_values() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (type(i) == Lexer::MACRO && type(i + 2) == Lexer::OPEN) {
        add_names(i + 2, closers_[i + 2]);
      } else if (type(i) == Lexer::ENUM) {
        size_t open = type(i + 1) == Lexer::IDENTIFIER ? i + 2 : i + 1;
        if (type(open) == Lexer::OPEN_BRACE) add_names(open, closers_[open]);
      } else if (type(i) == Lexer::DIRECTIVE) {
        add_define(list_.text(tokens_[i].get()));
      }
    }
  }

  // The names right after the bracket at `open` and after each comma up to `end`.
  void add_names(size_t open, size_t end) {
    for (size_t i = open; i + 1 < end; ++i) {
      if ((i == open || type(i) == Lexer::COMMA) && type(i + 1) == Lexer::IDENTIFIER)
        own_values_.emplace(list_.text(tokens_[i + 1].get()));
    }
  }

  void add_define(std::string_view line) {
    constexpr std::string_view kBlank = " \t", kValue = "0123456789-~!('\"";
    line.remove_prefix(std::min(line.find_first_not_of(kBlank, 1), line.size()));
    if (!line.starts_with("define")) return;
    line.remove_prefix(std::min(line.find_first_of(kBlank), line.size()));
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    const size_t end = line.find_first_of(" \t(");
    if (end == std::string_view::npos || line[end] == '(') return;
    const size_t body = line.find_first_not_of(kBlank, end);
    if (body != std::string_view::npos && kValue.find(line[body]) != std::string_view::npos)
      own_values_.emplace(line.substr(0, end));
  }

  size_t skip_qualifiers(size_t i) const {
    while (type(i) == Lexer::QUALIFIER) ++i;
    return i;
  }

  // The index after the type that begins at `i`, 0 when none does.
  size_t skip_type(size_t i) const {
    i = skip_qualifiers(i);
    switch (type(i)) {
      case Lexer::STRUCT:
      case Lexer::UNION:
      case Lexer::ENUM:
        if (type(i + 1) != Lexer::IDENTIFIER) return 0;
        i = skip_qualifiers(i + 2);
        break;
      case Lexer::TYPEOF:
        if (i + 1 >= tokens_.size() || closers_[i + 1] == 0) return 0;
        i = closers_[i + 1] + 1;
        break;
      case Lexer::IDENTIFIER:
        while (type(i) == Lexer::IDENTIFIER || type(i) == Lexer::QUALIFIER) ++i;
        break;
      default:
        return 0;
    }
    for (;;) {
      if (type(i) == Lexer::STAR) {
        i = skip_qualifiers(i + 1);
      } else if (type(i) == Lexer::OPEN_BRACKET && closers_[i] != 0) {
        i = closers_[i] + 1;
      } else {
        return i;
      }
    }
  }

  TokenList &list_;
  std::vector<std::unique_ptr<antlr4::CommonToken>> &tokens_;
  const ValueNames &values_;
  ValueNames own_values_;
  std::vector<size_t> closers_;
};

}  // namespace

void mark_tokens(TokenList &list, const ValueNames &values) { Marker(list, values).run(); }

}  // namespace awl::frontend
