#include "base/number.h"

#include <cctype>

namespace awl {
namespace {

struct Unit {
  std::string_view suffix;
  uint64_t factor;
};
constexpr Unit kUnits[] = {
    {"", 1},
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
    // Of C, where they tell the size: nothing here.
    {"u", 1},
    {"l", 1},
    {"ul", 1},
    {"ll", 1},
    {"ull", 1},
};

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

// Takes digits, with single '_' between them, off the front. False: there are none, or too many.
bool take_digits(std::string_view *text, uint64_t base, uint64_t *value) {
  bool has_digit = false;
  while (!text->empty()) {
    if ((*text)[0] == '_') {
      bool is_between =
          has_digit && text->size() > 1 && static_cast<uint64_t>(digit_value((*text)[1])) < base;
      if (!is_between) return false;
      text->remove_prefix(1);
    }
    auto digit = static_cast<uint64_t>(digit_value((*text)[0]));
    if (digit >= base) break;
    if (__builtin_mul_overflow(*value, base, value)) return false;
    if (__builtin_add_overflow(*value, digit, value)) return false;
    has_digit = true;
    text->remove_prefix(1);
  }
  return has_digit;
}

bool equal_in_lower_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(text[i])) != lower[i]) return false;
  }
  return true;
}

bool is_unit(std::string_view suffix, const Unit &unit) {
  bool is_of_c = unit.suffix.find_first_of("ul") != std::string_view::npos && unit.suffix != "us";
  return is_of_c ? equal_in_lower_case(suffix, unit.suffix) : suffix == unit.suffix;
}

}  // namespace

bool parse_number(std::string_view text, int64_t *out) {
  bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  uint64_t base = 10, value = 0;
  if (text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0' && std::isdigit(static_cast<uint8_t>(text[1]))) {
    base = 8;
  }
  if (!take_digits(&text, base, &value)) return false;
  if (base == 10 && text.starts_with('e')) {
    text.remove_prefix(1);
    uint64_t exponent = 0;
    if (!take_digits(&text, 10, &exponent) || exponent > 19) return false;
    for (; exponent > 0; --exponent) {
      if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
    }
  }
  bool is_known = false;
  for (const Unit &unit : kUnits) {
    if (!is_unit(text, unit)) continue;
    if (__builtin_mul_overflow(value, unit.factor, &value)) return false;
    is_known = true;
    break;
  }
  constexpr uint64_t kMostNegative = uint64_t{1} << 63;
  if (!is_known || (is_negative && value > kMostNegative)) return false;
  *out = static_cast<int64_t>(is_negative ? 0 - value : value);
  return true;
}

}  // namespace awl
