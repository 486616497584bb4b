#include "base/number.h"

#include <cctype>

namespace awl {
namespace {

using Problem = NumberText::Problem;
using Suffix = NumberText::Suffix;

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

// Suffixes of C integers: they say nothing here, where every number fits its value.
bool is_suffix_of_c(std::string_view suffix) {
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

uint64_t digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint64_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint64_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint64_t>(c - 'A' + 10);
  return 16;
}

// Takes digits, with single '_' between them, off the front of a text.
struct Digits {
  Digits(std::string_view &text, uint64_t base) {
    for (; !text.empty(); text.remove_prefix(1)) {
      bool is_separator =
          text[0] == '_' && count > 0 && text.size() > 1 && digit_value(text[1]) < base;
      if (is_separator) text.remove_prefix(1);
      uint64_t digit = digit_value(text[0]);
      if (digit >= base) break;
      ++count;
      is_too_large = is_too_large || __builtin_mul_overflow(value, base, &value) ||
                     __builtin_add_overflow(value, digit, &value);
    }
  }
  uint64_t value = 0;
  size_t count = 0;
  bool is_too_large = false;
};

// value * 10^exponent; false when that is too large.
bool scale(uint64_t &value, const Digits &exponent) {
  if (value == 0) return true;
  constexpr uint64_t kMostExponent = 19;
  if (exponent.is_too_large || exponent.value > kMostExponent) return false;
  for (uint64_t i = 0; i < exponent.value; ++i) {
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
  }
  return true;
}

// What stands behind the digits of a decimal number (`is_decimal`), or of another.
Problem read_suffix(std::string_view suffix, bool is_decimal, NumberText &number) {
  if (suffix.empty()) return Problem::kNone;
  number.suffix = Suffix::kOfC;
  if (is_suffix_of_c(suffix)) return Problem::kNone;
  number.suffix = Suffix::kUnit;
  for (const Unit &unit : kUnits) {
    if (!is_decimal || suffix != unit.suffix) continue;
    bool is_too_large = __builtin_mul_overflow(number.value, unit.nanoseconds, &number.value);
    return is_too_large ? Problem::kTooLarge : Problem::kNone;
  }
  return Problem::kSuffix;
}

}  // namespace

NumberText read_number(std::string_view text) {
  NumberText number;
  std::string_view rest = text;
  auto fail = [&](Problem problem) {
    number.problem = problem;
    return number;
  };
  number.is_negative = rest.starts_with('-');
  if (number.is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  uint64_t base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest[0] == '0' &&
             std::isdigit(static_cast<unsigned char>(rest[1]))) {
    base = 8;
  }
  Digits digits(rest, base);
  if (digits.count == 0) return fail(Problem::kNoDigits);
  if (base == 8 && !rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0]))) {
    return fail(Problem::kNotOctal);
  }
  number.value = digits.value;
  bool is_too_large = digits.is_too_large;
  if (base == 10 && (rest.starts_with('e') || rest.starts_with('E'))) {
    rest.remove_prefix(1);
    Digits exponent(rest, 10);
    if (exponent.count == 0) return fail(Problem::kNoExponent);
    is_too_large = is_too_large || !scale(number.value, exponent);
  }
  number.suffix_position = text.size() - rest.size();
  if (is_too_large) return fail(Problem::kTooLarge);
  return fail(read_suffix(rest, base == 10, number));
}

bool parse_number(std::string_view text, int64_t *out) {
  NumberText number = read_number(text);
  constexpr uint64_t kMostNegative = uint64_t{1} << 63;
  if (number.problem != Problem::kNone) return false;
  if (number.is_negative && number.value > kMostNegative) return false;
  *out = static_cast<int64_t>(number.is_negative ? 0 - number.value : number.value);
  return true;
}

}  // namespace awl
