#include "frontend/parse/syntax_errors.h"

#include <algorithm>

#include "frontend/parse/syntax_hints.h"

namespace awl::frontend {
namespace {

using Lexer = grammar::AwlLexer;
using Parser = grammar::AwlParser;

constexpr int kMaxErrors = 20;

AWL_DIAGNOSTIC(kSyntaxError, Error, "syntax-error", "expected {}, found {}", std::string,
               std::string);
AWL_DIAGNOSTIC(kUnexpectedAtTop, Error, "unexpected-at-top",
               "expected a probe such as kprobe:f, found {}", std::string);
AWL_DIAGNOSTIC(kUnmatchedBrace, Error, "unmatched-brace", "unmatched '}}': no '{{' is open here");
AWL_DIAGNOSTIC(kMissingBrace, Error, "missing-brace", "missing '}}' before {}", std::string);

// Tokens that are no literal, in words.
const char *describe_kind(size_t type) {
  switch (type) {
    case Lexer::IDENTIFIER:
      return "a name";
    case Lexer::VARIABLE:
      return "a variable such as $x";
    case Lexer::MAP:
      return "a map such as @x";
    case Lexer::STRING:
      return "a string in double quotes";
    case Lexer::NUMBER:
      return "a number";
    case Lexer::PROVIDER:
      return "a probe such as kprobe:f";
    case Lexer::END_PREDICATE:
      return "'/' at the end of the predicate";
    case Lexer::OPEN_CAST:
    case Lexer::OPEN_TYPE:
      return "'('";
    case Lexer::OPEN_STATEMENT:
      return "'{'";
    case Lexer::IF_VALUE:
      return "'if'";
    default:
      return nullptr;
  }
}

bool is_expression_rule(size_t rule) {
  return rule >= Parser::RuleExpression && rule <= Parser::RulePrimary;
}

// The last terminal of these types among the direct children of a rule: the bracket to be closed.
antlr4::Token *last_terminal(antlr4::ParserRuleContext *context,
                             std::initializer_list<size_t> types) {
  for (auto child = context->children.rbegin(); child != context->children.rend(); ++child) {
    auto *terminal = dynamic_cast<antlr4::tree::TerminalNode *>(*child);
    if (!terminal) continue;
    antlr4::Token *token = terminal->getSymbol();
    if (std::find(types.begin(), types.end(), token->getType()) != types.end()) return token;
  }
  return nullptr;
}

bool begins_item(size_t type) {
  switch (type) {
    case Lexer::PROVIDER:
    case Lexer::DIRECTIVE:
    case Lexer::CONFIG:
    case Lexer::IMPORT:
    case Lexer::DECLARE:
    case Lexer::MACRO:
    case Lexer::STRUCT:
    case Lexer::UNION:
    case Lexer::ENUM:
    case Lexer::TYPEDEF:
    case Lexer::SEMICOLON:
      return true;
    default:
      return false;
  }
}

}  // namespace

antlr4::Token *SyntaxErrors::recoverInline(antlr4::Parser *parser) {
  throw antlr4::InputMismatchException(parser);
}

void SyntaxErrors::recover(antlr4::Parser *parser, std::exception_ptr error) {
  switch (parser->getContext()->getRuleIndex()) {
    case Parser::RuleStatementGroup:
      skip_to_statement_end();
      return;
    case Parser::RuleBlockStatement:
      skip_broken_statement();
      return;
    case Parser::RuleConfigEntry:
      skip_to({Lexer::SEMICOLON, Lexer::COMMA, Lexer::CLOSE_BRACE});
      return;
    case Parser::RuleCMember:
      skip_to({Lexer::SEMICOLON, Lexer::CLOSE_BRACE});
      if (tokens_.LA(1) == Lexer::SEMICOLON) tokens_.consume();
      return;
    case Parser::RuleItem:
      skip_to_item();
      return;
    default:
      std::rethrow_exception(error);
  }
}

// Called before each turn of a loop: where a separator is missing the loop would end.
void SyntaxErrors::sync(antlr4::Parser *parser) {
  size_t next = tokens_.LA(1);
  switch (parser->getContext()->getRuleIndex()) {
    case Parser::RuleStatements:
      if (next == Lexer::SEMICOLON || next == Lexer::CLOSE_BRACE || next == antlr4::Token::EOF)
        return;
      if (!is_recovering_ && !report_missing_brace(parser))
        report(parser, describe_separator(false));
      is_recovering_ = true;
      skip_to_statement_end();
      return;
    case Parser::RuleConfigBlock:
      if (next == Lexer::SEMICOLON || next == Lexer::COMMA || next == Lexer::CLOSE_BRACE ||
          next == Lexer::IDENTIFIER || next == antlr4::Token::EOF || next == Lexer::OPEN_BRACE) {
        return;
      }
      if (tokens_.LA(-1) == Lexer::CONFIG || tokens_.LA(-1) == Lexer::ASSIGN) return;
      if (!is_recovering_) report(parser, describe_separator(true));
      is_recovering_ = true;
      skip_to({Lexer::SEMICOLON, Lexer::COMMA, Lexer::CLOSE_BRACE});
      return;
    case Parser::RuleProgram:
      while (next != antlr4::Token::EOF && !begins_item(next)) {
        report_at_top(parser);
        skip_to_item();
        next = tokens_.LA(1);
      }
      return;
    default:
      return;
  }
}

void SyntaxErrors::reportError(antlr4::Parser *parser, const antlr4::RecognitionException &) {
  if (is_recovering_) return;
  if (!report_missing_brace(parser)) report(parser, describe_expected(parser));
  is_recovering_ = true;
}

void SyntaxErrors::count_error() {
  if (++error_count_ > kMaxErrors) throw TooManyErrors{};
}

void SyntaxErrors::report(antlr4::Parser *parser, const std::string &expected) {
  antlr4::Token *found = tokens_.LT(1);
  if (tokens_.is_after_unterminated(found) || tokens_.is_after_stray(tokens_.index())) return;
  diagnostics_.emit(token_span(found, source_), kSyntaxError, expected, describe_found(found))
      .hint(syntax_hint(tokens_, *parser));
  count_error();
}

// A '}' that is missing shows at the next clause (`kprobe : f`) or at the end of the script; the
// error is then about the '{' that stays open.
bool SyntaxErrors::report_missing_brace(antlr4::Parser *parser) {
  antlr4::Token *found = tokens_.LT(1);
  bool is_end = found->getType() == antlr4::Token::EOF;
  bool is_clause = false;
  bool is_after_name = tokens_.LA(-1) == Lexer::IDENTIFIER;
  if (is_after_name && (found->getType() == Lexer::COLON || is_begin_or_end(tokens_.LT(-1)))) {
    found = tokens_.LT(-1);
    is_clause = true;
  } else if (found->getType() == Lexer::IDENTIFIER && tokens_.LA(2) == Lexer::COLON) {
    is_clause = true;
  }
  if (!is_end && !is_clause) return false;
  antlr4::Token *open = nullptr;
  for (antlr4::RuleContext *context = parser->getContext(); context && !open;
       context = static_cast<antlr4::RuleContext *>(context->parent)) {
    auto *rule = static_cast<antlr4::ParserRuleContext *>(context);
    if (rule->getRuleIndex() == Parser::RuleClause && !is_end) break;
    open = last_terminal(rule, {Lexer::OPEN_BRACE, Lexer::OPEN_STATEMENT});
  }
  if (!open) return false;
  if (tokens_.is_after_unterminated(found)) return true;
  std::string what = is_end ? "the end of the script" : "the probe " + describe_found(found);
  diagnostics_.emit(token_span(found, source_), kMissingBrace, what)
      .note(token_span(open, source_), "the '{' that is open");
  count_error();
  // What follows is nested wrongly: nothing can be said about it.
  while (tokens_.LA(1) != antlr4::Token::EOF) tokens_.consume();
  return true;
}

// `begin {` and `end {` on a line of their own.
bool SyntaxErrors::is_begin_or_end(antlr4::Token *token) const {
  std::string_view name = tokens_.text(token);
  bool is_name = name == "begin" || name == "BEGIN" || name == "end" || name == "END";
  size_t index = token->getTokenIndex();
  return is_name && index > 0 && tokens_.get(index - 1)->getLine() < token->getLine() &&
         tokens_.get(index + 1)->getType() == Lexer::OPEN_BRACE;
}

void SyntaxErrors::report_at_top(antlr4::Parser *) {
  antlr4::Token *found = tokens_.LT(1);
  Span span = token_span(found, source_);
  if (is_recovering_ || tokens_.is_after_unterminated(found)) return;
  if (found->getType() == Lexer::CLOSE_BRACE) {
    diagnostics_.emit(span, kUnmatchedBrace);
  } else {
    diagnostics_.emit(span, kUnexpectedAtTop, describe_found(found)).hint(kClauseHint);
  }
  count_error();
}

std::string SyntaxErrors::describe_found(antlr4::Token *token) const {
  if (token->getType() == antlr4::Token::EOF) return "the end of the script";
  constexpr size_t kMaxShown = 40;
  std::string text(tokens_.text(token));
  size_t line_end = text.find('\n');
  if (line_end != std::string::npos) text = text.substr(0, line_end);
  if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
  if (token->getType() == Lexer::STRING) return "the string " + text;
  return "'" + text + "'";
}

// Where the bracket stands that a rule has to close.
std::string SyntaxErrors::describe_closer(antlr4::ParserRuleContext *context) const {
  switch (context->getRuleIndex()) {
    case Parser::RuleNameOrCall:
      return " after the arguments of " + context->getStart()->getText();
    case Parser::RuleUnary:
      return " after the type of the cast";
    case Parser::RuleTypeOrExpression:
      return " after the operand";
    case Parser::RuleForStatement:
      return " after the range of 'for'";
    case Parser::RuleSuffix:
      return " after the index";
    case Parser::RuleMacroDefinition:
      return " after the parameters of the macro";
    case Parser::RuleParentheses: {
      size_t start = context->getStart()->getTokenIndex();
      size_t before = start > 0 ? tokens_.get(start - 1)->getType() : antlr4::Token::EOF;
      bool is_condition =
          before == Lexer::IF || before == Lexer::IF_VALUE || before == Lexer::WHILE;
      return is_condition ? " after the condition" : "";
    }
    default:
      return "";
  }
}

// What is missing between two statements or two entries.
std::string SyntaxErrors::describe_separator(bool is_config) {
  switch (tokens_.LA(-1)) {
    case Lexer::OPEN_BRACE:
    case Lexer::OPEN_STATEMENT:
    case Lexer::COMMA:
    case Lexer::SEMICOLON:
      return is_config ? "an entry such as stack_mode=perf" : "a statement";
    default:
      return is_config ? "';' or '}' after the entry" : "';' or '}' after the statement";
  }
}

std::string SyntaxErrors::describe_expected(antlr4::Parser *parser) {
  antlr4::ParserRuleContext *context = parser->getContext();
  size_t rule = context->getRuleIndex();
  antlr4::misc::IntervalSet expected = parser->getExpectedTokens();
  std::string after;
  if (antlr4::Token *previous = tokens_.LT(-1)) after = " after " + describe_found(previous);

  if (expected.contains(static_cast<size_t>(Lexer::OPEN_BRACE)) && rule == Parser::RuleBlock) {
    return "'{'" + after;
  }
  if (rule == Parser::RuleConfigBlock &&
      expected.contains(static_cast<size_t>(Lexer::CLOSE_BRACE))) {
    return "';' or '}' after the entry";
  }
  if (rule == Parser::RuleSuffix || rule == Parser::RuleFieldName) {
    if (!expected.contains(static_cast<size_t>(Lexer::CLOSE_BRACKET))) {
      return "the name of a field" + after;
    }
  }
  if (expected.contains(static_cast<size_t>(Lexer::CLOSE))) {
    if (tokens_.LA(-1) == Lexer::OPEN) return "an expression or ')'" + after;
    if (rule == Parser::RuleArguments)
      context = static_cast<antlr4::ParserRuleContext *>(context->parent);
    return "')'" + describe_closer(context);
  }
  if (expected.contains(static_cast<size_t>(Lexer::CLOSE_BRACKET))) {
    return "']'" + describe_closer(context);
  }
  if (expected.contains(static_cast<size_t>(Lexer::END_PREDICATE))) {
    // A '/' that no '{' follows was taken for a division.
    bool is_slash_missing = tokens_.LA(1) == Lexer::OPEN_BRACE;
    return is_slash_missing ? describe_kind(Lexer::END_PREDICATE)
                            : "'/' and '{' after the predicate";
  }
  if (expected.size() == 1) {
    auto type = static_cast<size_t>(expected.getMinElement());
    const char *kind = describe_kind(type);
    return (kind ? kind : parser->getVocabulary().getDisplayName(type)) + after;
  }
  if (is_expression_rule(rule)) return "an expression" + after;
  switch (rule) {
    case Parser::RuleSimpleStatement:
      return "a statement" + after;
    case Parser::RuleTypeSpecification:
    case Parser::RuleBaseType:
      return "a type" + after;
    case Parser::RuleConfigValue:
      return "a word, a number or a string" + after;
    case Parser::RuleMacroParameter:
      return "a parameter: a name, $variable or @map" + after;
    case Parser::RuleTypeOrExpression:
      return "'('" + after;
    case Parser::RuleCMember:
    case Parser::RuleCSpecifier:
      return "a type" + after;
    case Parser::RuleCDeclarator:
      return "the name of a member" + after;
    case Parser::RuleClause:
      return "'{'" + after;
    default:
      return "something else" + after;
  }
}

// ---- skipping -----------------------------------------------------------------------------------

// From a '{' to behind its '}'.
void SyntaxErrors::skip_braces() {
  for (int depth = 0; tokens_.LA(1) != antlr4::Token::EOF; tokens_.consume()) {
    size_t type = tokens_.LA(1);
    if (type == Lexer::OPEN_BRACE || type == Lexer::OPEN_STATEMENT) ++depth;
    if (type == Lexer::CLOSE_BRACE && --depth == 0) {
      tokens_.consume();
      return;
    }
  }
}

// To the first token of one of the types that is not inside braces.
void SyntaxErrors::skip_to(std::initializer_list<size_t> types) {
  for (;;) {
    size_t type = tokens_.LA(1);
    if (type == antlr4::Token::EOF || std::find(types.begin(), types.end(), type) != types.end())
      return;
    if (type == Lexer::OPEN_BRACE || type == Lexer::OPEN_STATEMENT) {
      skip_braces();
    } else {
      tokens_.consume();
    }
  }
}

void SyntaxErrors::skip_to_statement_end() { skip_to({Lexer::SEMICOLON, Lexer::CLOSE_BRACE}); }

// The head of an `if` or a loop is broken: its block is left out as well.
void SyntaxErrors::skip_broken_statement() {
  for (;;) {
    skip_to({Lexer::SEMICOLON, Lexer::CLOSE_BRACE, Lexer::OPEN_BRACE, Lexer::OPEN_STATEMENT});
    size_t type = tokens_.LA(1);
    if (type != Lexer::OPEN_BRACE && type != Lexer::OPEN_STATEMENT) return;
    skip_braces();
    if (tokens_.LA(1) != Lexer::ELSE) return;
  }
}

// To the next item of the script; what is inside braces is none.
void SyntaxErrors::skip_to_item() {
  do {
    size_t type = tokens_.LA(1);
    if (type == antlr4::Token::EOF) return;
    if (type == Lexer::OPEN_BRACE || type == Lexer::OPEN_STATEMENT) {
      skip_braces();
    } else {
      tokens_.consume();
    }
  } while (!begins_item(tokens_.LA(1)) || is_inside_item());
}

// Words such as `struct` and names begin an item, and stand inside one too.
bool SyntaxErrors::is_inside_item() {
  antlr4::Token *token = tokens_.LT(1);
  antlr4::Token *before = tokens_.LT(-1);
  switch (token->getType()) {
    case Lexer::STRUCT:
    case Lexer::UNION:
    case Lexer::ENUM:
    case Lexer::PROVIDER:
      break;
    default:
      return false;
  }
  switch (before->getType()) {
    case Lexer::CLOSE_BRACE:
    case Lexer::SEMICOLON:
    case Lexer::DIRECTIVE:
      return false;
    default:
      return token->getType() != Lexer::PROVIDER || token->getLine() == before->getLine();
  }
}

}  // namespace awl::frontend
