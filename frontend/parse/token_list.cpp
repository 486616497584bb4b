#include "frontend/parse/token_list.h"

#include <algorithm>
#include <utility>

#include "runtime/object/utf8.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kStrayCharacter, Error, "stray-character", "stray character {}", std::string);
AWL_DIAGNOSTIC(kCharacterLiteral, Error, "character-literal", "there are no character literals: {}",
               std::string);
AWL_DIAGNOSTIC(kUnterminatedString, Error, "unterminated-string",
               "unterminated string: the closing '\"' is missing on this line");
AWL_DIAGNOSTIC(kUnterminatedComment, Error, "unterminated-comment",
               "unterminated comment: the closing '*/' is missing");
AWL_DIAGNOSTIC(kMisplacedDirective, Error, "misplaced-directive",
               "a #define, #undef or #include line must stand at the top of the script");

// The character at the front of the text.
std::string describe_character(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  const size_t size = object::utf8_length(text);
  const bool is_control = byte < 0x20 || byte == 0x7f ||
                          (byte == 0xc2 && size == 2 && static_cast<unsigned char>(text[1]) < 0xa0);
  if (size == 0 || is_control) return fmt::format("0x{:02x}", byte);
  return fmt::format("'{}'", text.substr(0, size));
}

// What word processors and web pages make of quotes.
bool is_typographic_quote(std::string_view text) {
  constexpr std::string_view kQuotes[] = {"\u201c", "\u201d", "\u201e", "\u2018",
                                          "\u2019", "\u00ab", "\u00bb"};
  return std::any_of(std::begin(kQuotes), std::end(kQuotes),
                     [&](std::string_view quote) { return text.starts_with(quote); });
}

}  // namespace

TokenList::TokenList(std::string_view text, size_t begin, size_t end, Start start, SourceId source,
                     Diagnostics *diagnostics)
    : text_(text), bytes_(text, begin, end), lexer_(&bytes_) {
  lexer_.removeErrorListeners();
  if (start == Start::kCode) lexer_.pushMode(grammar::AwlLexer::CODE);
  tokens_.reserve((end - begin) / 4 + 2);
  for (;;) {
    std::unique_ptr<antlr4::Token> token = lexer_.nextToken();
    bool is_end = token->getType() == antlr4::Token::EOF;
    keep_or_report(
        std::unique_ptr<antlr4::CommonToken>(static_cast<antlr4::CommonToken *>(token.release())),
        source, diagnostics);
    if (is_end) break;
  }
}

// Keeps a token, or reports what is none. A string that does not end is kept as a string, so that
// the statement around it is still understood.
void TokenList::keep_or_report(std::unique_ptr<antlr4::CommonToken> token, SourceId source,
                               Diagnostics *diagnostics) {
  using Lexer = grammar::AwlLexer;
  Span span = token_span(token.get(), source);
  switch (token->getType()) {
    case Lexer::UNKNOWN:
      if (is_continuation(span.begin)) return;
      strays_.push_back(span.begin);
      if (diagnostics && !is_after_unterminated(token.get())) report_stray(span, *diagnostics);
      last_unknown_end_ = span.end;
      return;
    case Lexer::UNTERMINATED_COMMENT:
      if (diagnostics && !is_after_unterminated(token.get())) {
        diagnostics->emit({source, span.begin, span.begin + 2}, kUnterminatedComment);
      }
      first_unterminated_ = std::min(first_unterminated_, token->getStartIndex());
      return;
    case Lexer::MISPLACED_DIRECTIVE:
      if (diagnostics) diagnostics->emit(span, kMisplacedDirective);
      return;
    case Lexer::CHARACTER:
      strays_.push_back(span.begin);
      if (diagnostics && !is_after_unterminated(token.get())) {
        diagnostics->emit(span, kCharacterLiteral, std::string(text(token.get())))
            .hint("use the character's code, or a string in double quotes");
      }
      token->setType(Lexer::NUMBER);
      break;
    case Lexer::UNTERMINATED_STRING:
      if (diagnostics && !is_after_unterminated(token.get())) {
        diagnostics->emit(span, kUnterminatedString);
      }
      first_unterminated_ = std::min(first_unterminated_, token->getStartIndex());
      token->setType(Lexer::STRING);
      break;
    default:
      break;
  }
  token->setTokenIndex(tokens_.size());
  tokens_.push_back(std::move(token));
}

// One report for a run of such bytes.
void TokenList::report_stray(Span span, Diagnostics &diagnostics) {
  if (span.begin == last_unknown_end_) return;
  const std::string_view rest = text_.substr(span.begin);
  span.end = span.begin + static_cast<uint32_t>(std::max<size_t>(object::utf8_length(rest), 1));
  auto diagnostic = diagnostics.emit(span, kStrayCharacter, describe_character(rest));
  if (!is_typographic_quote(rest)) return;
  diagnostic.hint("strings stand in straight quotes: \"text\"");
  // What was meant as a string is no code.
  first_unterminated_ = std::min<size_t>(first_unterminated_, span.begin);
}

// A backslash at the end of a line, as in a `#define` of several lines.
bool TokenList::is_continuation(size_t at) const {
  if (text_[at] != '\\') return false;
  std::string_view rest = text_.substr(at + 1, 2);
  return rest.starts_with("\n") || rest.starts_with("\r\n");
}

std::string_view TokenList::text(const antlr4::Token *token) const {
  size_t begin = token->getStartIndex();
  size_t end = token->getStopIndex() + 1;
  if (begin >= text_.size() || end <= begin) return {};
  return text_.substr(begin, end - begin);
}

bool TokenList::is_after_stray(size_t index) const {
  size_t begin = index > 0 ? tokens_[index - 1]->getStopIndex() + 1 : 0;
  auto stray = std::lower_bound(strays_.begin(), strays_.end(), begin);
  return stray != strays_.end() && *stray < tokens_[index]->getStartIndex();
}

antlr4::Token *TokenList::LT(ssize_t k) {
  if (k > 0) return tokens_[std::min(at_ + k - 1, tokens_.size() - 1)].get();
  size_t back = static_cast<size_t>(-k);
  return back == 0 || back > at_ ? nullptr : tokens_[at_ - back].get();
}

size_t TokenList::LA(ssize_t i) {
  antlr4::Token *token = LT(i);
  return token ? token->getType() : antlr4::Token::INVALID_TYPE;
}

void TokenList::consume() {
  if (at_ + 1 < tokens_.size()) ++at_;
}

antlr4::TokenSource *TokenList::getTokenSource() const { return &lexer_; }

}  // namespace awl::frontend
