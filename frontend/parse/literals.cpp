#include "frontend/parse/literals.h"

#include <array>
#include <cctype>
#include <limits>
#include <optional>

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kBadNumberSuffix, Error, "bad-number-suffix", "invalid suffix '{}' of the number {}",
               std::string, std::string);
AWL_DIAGNOSTIC(kBadNumber, Error, "bad-number", "invalid number {}: {}", std::string, std::string);
AWL_DIAGNOSTIC(kNumberTooLarge, Error, "number-too-large",
               "the number {} is larger than 18446744073709551615, the largest there is",
               std::string);
AWL_DIAGNOSTIC(kBadEscape, Error, "bad-escape", "invalid escape '{}' in a string", std::string);

struct Unit {
  std::string_view suffix;
  uint64_t nanoseconds;
};
constexpr Unit kUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
};

// Suffixes of C integers: they say nothing here, where every literal fits its value.
bool is_integer_suffix(std::string_view suffix) {
  int unsigned_count = 0, long_count = 0;
  for (char c : suffix) {
    if (c == 'u' || c == 'U') {
      ++unsigned_count;
    } else if (c == 'l' || c == 'L') {
      ++long_count;
    } else {
      return false;
    }
  }
  return unsigned_count <= 1 && long_count <= 2;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// Digits of a base, with '_' between them, taken off the front; nothing when they overflow.
std::optional<uint64_t> take_digits(std::string_view *text, uint64_t base, size_t *count) {
  uint64_t value = 0;
  bool is_overflow = false;
  for (*count = 0; !text->empty(); text->remove_prefix(1)) {
    char c = (*text)[0];
    if (c == '_' && *count > 0) continue;
    uint64_t digit = digit_value(c);
    if (digit >= base) break;
    ++*count;
    is_overflow = is_overflow || __builtin_mul_overflow(value, base, &value) ||
                  __builtin_add_overflow(value, digit, &value);
  }
  if (is_overflow) return std::nullopt;
  return value;
}

// value * 10^exponent; nothing when it overflows.
std::optional<uint64_t> scale(uint64_t value, uint64_t exponent) {
  for (uint64_t i = 0; i < exponent && value != 0; ++i) {
    if (__builtin_mul_overflow(value, 10u, &value)) return std::nullopt;
  }
  return value;
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
  std::string_view rest = text;
  auto fail_digits = [&](const char *why) {
    diagnostics.emit(span, kBadNumber, std::string(text), why);
    return Number{};
  };
  auto fail_size = [&] {
    diagnostics.emit(span, kNumberTooLarge, std::string(text));
    return Number{};
  };
  uint64_t base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest[0] == '0' &&
             std::isdigit(static_cast<unsigned char>(rest[1]))) {
    base = 8;
  }
  size_t count = 0;
  std::optional<uint64_t> value = take_digits(&rest, base, &count);
  if (count == 0) return fail_digits("hexadecimal digits are missing");
  if (base == 8 && !rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0]))) {
    return fail_digits("a number that begins with 0 is octal");
  }
  if (value && base == 10 && !rest.empty() && (rest[0] == 'e' || rest[0] == 'E')) {
    rest.remove_prefix(1);
    std::optional<uint64_t> exponent = take_digits(&rest, 10, &count);
    if (count == 0) return fail_digits("the digits of the exponent are missing");
    value = scale(*value, exponent.value_or(std::numeric_limits<uint64_t>::max()));
  }
  if (!value) return fail_size();
  if (is_integer_suffix(rest)) return {*value, false};
  for (const Unit &unit : kUnits) {
    if (base != 10 || rest != unit.suffix) continue;
    uint64_t nanoseconds = 0;
    if (__builtin_mul_overflow(*value, unit.nanoseconds, &nanoseconds)) return fail_size();
    return {nanoseconds, true};
  }
  auto at = span.begin + static_cast<uint32_t>(text.size() - rest.size());
  diagnostics
      .emit({span.source, at, span.end}, kBadNumberSuffix, std::string(rest), std::string(text))
      .hint("units of time are ns, us, ms, s, m, h and d");
  return {};
}

std::string decode_string(std::string_view text, Span span, Diagnostics &diagnostics) {
  return StringDecoder(text, span, diagnostics).run();
}

}  // namespace awl::frontend
