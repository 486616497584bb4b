#include "frontend/parse/syntax_hints.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace awl::frontend {
namespace {

using Lexer = grammar::AwlLexer;
using Parser = grammar::AwlParser;

constexpr const char *kDeclarationHint = "variables begin with $: $x = 1, or let $x : int64 = 1";

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Words of other languages for what has a sign here.
const char *sign_of(std::string_view word) {
  if (word == "and") return "'and' is written &&";
  if (word == "or") return "'or' is written ||";
  if (word == "not") return "'not' is written !";
  return nullptr;
}

// The word before a condition in parentheses that ends with the token at `close`: the parser took
// it for a call.
std::string_view word_before_parentheses(TokenList &tokens, size_t close) {
  int depth = 0;
  for (size_t i = close; i > 0; --i) {
    const size_t type = tokens.get(i)->getType();
    if (type == Lexer::CLOSE) ++depth;
    if (type == Lexer::OPEN && --depth == 0) return tokens.text(tokens.get(i - 1));
  }
  return {};
}

// At a '{' that nothing begins.
std::string block_hint(TokenList &tokens) {
  if (tokens.LA(-1) != Lexer::CLOSE) return {};
  const std::string_view word = word_before_parentheses(tokens, tokens.index() - 1);
  if (is_one_of(word, {"elif", "elsif", "elseif"})) return "write else if";
  if (word == "foreach") return "write for ($kv : @map) { ... }";
  return {};
}

// Where the body of an attach point or a statement is missing.
std::string missing_block_hint(TokenList &tokens, bool is_clause) {
  const std::string_view word = tokens.text(tokens.LT(1));
  if (!is_clause) return "the body stands in braces, be it a single statement";
  if (word == "if")
    return "conditions of a clause stand between slashes: kprobe:f /pid == 1/ { ... }";
  if (tokens.LA(1) == Lexer::SEMICOLON) return kClauseHint;
  if (is_one_of(tokens.text(tokens.LT(-1)), {"fn", "func", "function", "def", "sub"}))
    return "functions are macros: macro " + std::string(word) + "(a, b) { ... }";
  const bool is_last = tokens.LA(2) == Lexer::OPEN_BRACE || tokens.LA(2) == Lexer::OPEN_STATEMENT;
  if (tokens.LA(-1) == Lexer::PROVIDER && tokens.LA(1) == Lexer::PROVIDER && is_last) {
    return "parts are joined by colons: " + std::string(tokens.text(tokens.LT(-1))) + ":" +
           std::string(word);
  }
  if (tokens.LA(-1) == Lexer::PART && tokens.LA(1) == Lexer::PROVIDER)
    return "several probes are separated by commas";
  return {};
}

bool is_member_rule(size_t rule) {
  return rule == Parser::RuleCMember || rule == Parser::RuleCSpecifier ||
         rule == Parser::RuleCDeclarator;
}

}  // namespace

std::string syntax_hint(TokenList &tokens, antlr4::Parser &parser) {
  const size_t rule = parser.getContext()->getRuleIndex(), found = tokens.LA(1);
  const antlr4::Token *before = tokens.LT(-1);
  const std::string_view word = tokens.text(tokens.LT(1));
  const std::string_view word_before = before ? tokens.text(before) : std::string_view();
  const antlr4::misc::IntervalSet expected = parser.getExpectedTokens();
  auto may_be = [&](size_t type) { return expected.contains(type); };

  const bool is_predicate = rule == Parser::RuleClause && may_be(Lexer::END_PREDICATE);
  const bool is_comparison =
      is_predicate || rule == Parser::RuleNameOrCall || rule == Parser::RuleBlock;
  if (found == Lexer::ASSIGN && is_comparison) return "'==' compares";
  if (found == Lexer::MISPLACED) return kClauseHint;
  if (const char *sign = sign_of(word)) return sign;
  if (const char *sign = sign_of(word_before)) return sign;
  if (rule == Parser::RuleForStatement || rule == Parser::RuleForRange)
    return "write for ($i : 0..10) { ... }, or for ($kv : @map) { ... }";
  if (found == Lexer::STRING && tokens.LA(-1) == Lexer::STRING)
    return "two strings are joined by +";
  const bool is_opener = found == Lexer::OPEN || found == Lexer::OPEN_BRACE;
  if (is_opener && tokens.LA(-1) == Lexer::MAP) return "keys stand in brackets: @x[1]";
  if (found == Lexer::CLOSE_BRACE && is_member_rule(rule)) return "members end with ';'";
  if (found == Lexer::OPEN_BRACE || found == Lexer::OPEN_STATEMENT) return block_hint(tokens);
  if (rule == Parser::RuleBlock && may_be(Lexer::OPEN_BRACE)) {
    auto *parent = static_cast<antlr4::ParserRuleContext *>(parser.getContext()->parent);
    return missing_block_hint(tokens, parent && parent->getRuleIndex() == Parser::RuleClause);
  }
  if (rule == Parser::RuleClause && may_be(Lexer::OPEN_BRACE))
    return missing_block_hint(tokens, true);
  const bool is_type = is_one_of(
      word_before, {"int", "char", "long", "short", "unsigned", "bool", "string", "var", "auto",
                    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"});
  const bool is_declaration = found == Lexer::IDENTIFIER || found == Lexer::VARIABLE;
  if (is_declaration && (is_type || tokens.LA(-1) == Lexer::LET)) return kDeclarationHint;
  return {};
}

}  // namespace awl::frontend
