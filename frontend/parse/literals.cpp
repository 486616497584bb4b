#include "frontend/parse/literals.h"

#include "base/number.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kBadNumberSuffix, Error, "bad-number-suffix", "invalid suffix '{}' of the number {}",
               std::string, std::string);
AWL_DIAGNOSTIC(kBadNumber, Error, "bad-number", "invalid number {}: {}", std::string, std::string);
AWL_DIAGNOSTIC(kNumberTooLarge, Error, "number-too-large",
               "the number {} is larger than 18446744073709551615, the largest there is",
               std::string);
AWL_DIAGNOSTIC(kBadEscape, Error, "bad-escape", "invalid escape '{}' in a string", std::string);

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// A string literal being decoded.
class StringDecoder {
 public:
  StringDecoder(std::string_view text, Span span, Diagnostics &diagnostics)
      : text_(text), span_(span), diagnostics_(diagnostics) {}

  std::string run() {
    size_t end = text_.size();
    if (end > 1 && text_.back() == '"') --end;
    text_ = text_.substr(0, end);
    for (at_ = 1; at_ < text_.size();) {
      if (text_[at_] == '\\') {
        escape();
      } else {
        value_ += text_[at_++];
      }
    }
    return std::move(value_);
  }

 private:
  void escape() {
    size_t begin = at_++;
    char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c >= '0' && c <= '7') return number(begin, 8, 3);
    if (c == 'x') {
      ++at_;
      return number(begin, 16, 2);
    }
    if (at_ < text_.size()) ++at_;
    switch (c) {
      case 'n':
        value_ += '\n';
        break;
      case 't':
        value_ += '\t';
        break;
      case 'r':
        value_ += '\r';
        break;
      case '\\':
        value_ += '\\';
        break;
      case '"':
        value_ += '"';
        break;
      default:
        report(begin);
    }
  }

  void number(size_t begin, int base, size_t max_digits) {
    int byte = 0;
    size_t first = at_;
    for (; at_ < text_.size() && at_ - first < max_digits; ++at_) {
      int digit = digit_value(text_[at_]);
      if (digit >= base) break;
      byte = byte * base + digit;
    }
    if (at_ == first || byte > 255) return report(begin);
    value_ += static_cast<char>(byte);
  }

  void report(size_t begin) {
    // An unterminated string that ends in a backslash has been reported already.
    if (begin + 1 >= text_.size()) return;
    Span place{span_.source, span_.begin + static_cast<uint32_t>(begin),
               span_.begin + static_cast<uint32_t>(at_)};
    diagnostics_.emit(place, kBadEscape, std::string(text_.substr(begin, at_ - begin)))
        .hint("known are \\n, \\t, \\r, \\\\, \\\", octal \\nnn and hexadecimal \\xnn");
  }

  std::string_view text_;
  Span span_;
  Diagnostics &diagnostics_;
  size_t at_ = 0;
  std::string value_;
};

}  // namespace

Number decode_number(std::string_view text, Span span, Diagnostics &diagnostics) {
  using Problem = NumberText::Problem;
  NumberText number = read_number(text);
  auto report = [&](const char *why) {
    diagnostics.emit(span, kBadNumber, std::string(text), why);
    return Number{};
  };
  switch (number.problem) {
    case Problem::kNone:
      return {number.value, number.suffix == NumberText::Suffix::kUnit};
    case Problem::kNoDigits:
      return report("hexadecimal digits are missing");
    case Problem::kNotOctal:
      return report("a number that begins with 0 is octal");
    case Problem::kNoExponent:
      return report("the digits of the exponent are missing");
    case Problem::kTooLarge:
      diagnostics.emit(span, kNumberTooLarge, std::string(text));
      return {};
    case Problem::kSuffix:
      break;
  }
  auto at = span.begin + static_cast<uint32_t>(number.suffix_position);
  std::string suffix(text.substr(number.suffix_position));
  diagnostics.emit({span.source, at, span.end}, kBadNumberSuffix, suffix, std::string(text))
      .hint("units of time are ns, us, ms, s, m, h and d");
  return {};
}

std::string decode_string(std::string_view text, Span span, Diagnostics &diagnostics) {
  return StringDecoder(text, span, diagnostics).run();
}

}  // namespace awl::frontend
