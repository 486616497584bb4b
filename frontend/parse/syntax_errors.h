// What happens when the tokens do not fit the grammar.
//
// An error is reported once, in words, at the token that does not fit. The parser then leaves all
// rules up to a statement, a member, a config entry or an item of the script, skips to where the
// next one begins, and goes on: several errors are found in one go, none of which follows from
// another.
#pragma once

#include "AwlParser.h"
#include "frontend/parse/token_list.h"

namespace awl::frontend {

// Thrown through the parser when there are so many errors that nobody reads on.
struct TooManyErrors {};

class SyntaxErrors : public antlr4::ANTLRErrorStrategy {
 public:
  SyntaxErrors(TokenList &tokens, SourceId source, Diagnostics &diagnostics)
      : tokens_(tokens), source_(source), diagnostics_(diagnostics) {}

  // antlr4::ANTLRErrorStrategy
  void reset(antlr4::Parser *) override { is_recovering_ = false; }
  antlr4::Token *recoverInline(antlr4::Parser *parser) override;
  void recover(antlr4::Parser *parser, std::exception_ptr error) override;
  void sync(antlr4::Parser *parser) override;
  bool inErrorRecoveryMode(antlr4::Parser *) override { return is_recovering_; }
  void reportMatch(antlr4::Parser *) override { is_recovering_ = false; }
  void reportError(antlr4::Parser *parser, const antlr4::RecognitionException &error) override;

 private:
  void report(antlr4::Parser *parser, const std::string &expected);
  bool report_missing_brace(antlr4::Parser *parser);
  bool is_begin_or_end(antlr4::Token *token) const;
  void report_at_top(antlr4::Parser *parser);
  std::string describe_found(antlr4::Token *token) const;
  std::string describe_expected(antlr4::Parser *parser);
  std::string describe_separator(bool is_config);
  std::string describe_closer(antlr4::ParserRuleContext *context) const;
  void count_error();

  void skip_to_statement_end();
  void skip_broken_statement();
  void skip_to_item();
  bool is_inside_item();
  void skip_to(std::initializer_list<size_t> types);
  void skip_braces();

  TokenList &tokens_;
  SourceId source_;
  Diagnostics &diagnostics_;
  bool is_recovering_ = false;  // no report until a token matches again
  int error_count_ = 0;
};

}  // namespace awl::frontend
