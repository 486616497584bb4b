// All tokens of a text, as the parser reads them.
//
// Lexing is done in one go before parsing, so that tokens can be marked by what follows them
// (mark_tokens.h) and bytes that are no token can be reported and left out.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "AwlLexer.h"
#include "antlr4-runtime.h"
#include "frontend/diagnostics/diagnostic.h"
#include "frontend/parse/byte_stream.h"

namespace awl::frontend {

// Where a token stands.
inline Span token_span(const antlr4::Token *token, SourceId source) {
  auto begin = static_cast<uint32_t>(token->getStartIndex());
  auto end = static_cast<uint32_t>(token->getStopIndex() + 1);
  return {source, begin, end > begin ? end : begin};
}

class TokenList : public antlr4::TokenStream {
 public:
  enum class Start { kScript, kCode };  // the lexer's mode at the beginning

  // Lexes text[begin, end). `text` must outlive the list. Null diagnostics: nothing is reported.
  TokenList(std::string_view text, size_t begin, size_t end, Start start, SourceId source,
            Diagnostics *diagnostics);

  std::vector<std::unique_ptr<antlr4::CommonToken>> &tokens() { return tokens_; }
  std::string_view text(const antlr4::Token *token) const;
  // Whether there was anything that is no token; it has been left out.
  bool has_stray_characters() const { return !strays_.empty(); }
  // Whether something was left out right before a token.
  bool is_after_stray(size_t index) const;
  // After a string or comment that does not end, little makes sense: more errors would follow from
  // it.
  bool is_after_unterminated(const antlr4::Token *token) const {
    return token->getStartIndex() >= first_unterminated_;
  }

  // antlr4::TokenStream
  antlr4::Token *LT(ssize_t k) override;
  antlr4::Token *get(size_t index) const override { return tokens_[index].get(); }
  antlr4::TokenSource *getTokenSource() const override;
  std::string getText(const antlr4::misc::Interval &) override { return ""; }
  std::string getText() override { return std::string(text_); }
  std::string getText(antlr4::RuleContext *) override { return ""; }
  std::string getText(antlr4::Token *, antlr4::Token *) override { return ""; }
  void consume() override;
  size_t LA(ssize_t i) override;
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  size_t index() override { return at_; }
  void seek(size_t index) override { at_ = index; }
  size_t size() override { return tokens_.size(); }
  std::string getSourceName() const override { return ""; }

 private:
  void keep_or_report(std::unique_ptr<antlr4::CommonToken> token, SourceId source,
                      Diagnostics *diagnostics);
  void report_stray(Span span, Diagnostics &diagnostics);
  bool is_continuation(size_t at) const;

  std::string_view text_;
  ByteStream bytes_;
  mutable grammar::AwlLexer lexer_;
  std::vector<std::unique_ptr<antlr4::CommonToken>> tokens_;  // ends with EOF
  size_t at_ = 0;
  size_t last_unknown_end_ = SIZE_MAX;
  std::vector<size_t> strays_;  // offsets
  size_t first_unterminated_ = SIZE_MAX;
};

}  // namespace awl::frontend
