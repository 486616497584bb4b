// Bounds the nesting of rules, so that no script can exhaust the stack.
#pragma once

#include "antlr4-runtime.h"

namespace awl::grammar {

// Thrown out of the parser, through all its rules, when a script is nested too deeply.
struct NestedTooDeeply {
  antlr4::Token *token;
};

class ParserBase : public antlr4::Parser {
 public:
  // A parenthesis takes 7 rules, a block 6.
  static constexpr int kMaxDepth = 3200;

  explicit ParserBase(antlr4::TokenStream *input) : antlr4::Parser(input) {}

  void enterRule(antlr4::ParserRuleContext *context, size_t state, size_t rule) override {
    if (++depth_ > kMaxDepth) throw NestedTooDeeply{getCurrentToken()};
    Parser::enterRule(context, state, rule);
  }
  void exitRule() {
    --depth_;
    Parser::exitRule();
  }

 private:
  int depth_ = 0;
};

}  // namespace awl::grammar
