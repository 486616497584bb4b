#include "frontend/probes/probe_text.h"

#include <algorithm>
#include <set>
#include <utility>

namespace awl::frontend {
namespace {

constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
};

bool multiply(uint64_t &value, uint64_t factor) {
  return !__builtin_mul_overflow(value, factor, &value);
}

// Digits of one base at the start of `text`, which they are taken from; false when there are none
// or they do not fit.
bool take_digits(std::string_view &text, unsigned base, uint64_t *value) {
  size_t count = 0;
  uint64_t result = 0;
  for (; count < text.size(); ++count) {
    char c = text[count];
    if (c == '_' && count > 0) continue;
    unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : 99;
    if (digit >= base) break;
    if (!multiply(result, base) || __builtin_add_overflow(result, digit, &result)) return false;
  }
  text.remove_prefix(count);
  *value = result;
  return count > 0;
}

}  // namespace

std::optional<ProbeNumber> parse_probe_number(std::string_view text) {
  ProbeNumber number;
  if (text.starts_with('-')) {
    number.is_negative = true;
    text.remove_prefix(1);
  }
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    if (!take_digits(text, 16, &number.value) || !text.empty()) return std::nullopt;
    return number;
  }
  bool is_octal = text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
  if (!take_digits(text, is_octal ? 8 : 10, &number.value)) return std::nullopt;
  if (!is_octal && (text.starts_with('e') || text.starts_with('E'))) {
    text.remove_prefix(1);
    uint64_t exponent = 0;
    if (!take_digits(text, 10, &exponent) || exponent > 19) return std::nullopt;
    for (; exponent > 0; --exponent) {
      if (!multiply(number.value, 10)) return std::nullopt;
    }
  }
  if (text.empty()) return number;
  for (const auto &[unit, factor] : kUnits) {
    if (text != unit) continue;
    number.has_unit = true;
    return multiply(number.value, factor) ? std::optional(number) : std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> patterns_with_prefix(std::string_view pattern, std::string_view prefix) {
  // The positions in the pattern where a match may stand after the part of the prefix read so far,
  // as for any nondeterministic automaton. What is left of the pattern there follows the prefix.
  std::set<size_t> positions = {0};
  auto skip_stars = [&] {
    for (size_t p : std::set<size_t>(positions)) {
      for (; p < pattern.size() && pattern[p] == '*'; ++p) positions.insert(p + 1);
    }
  };
  for (char c : prefix) {
    skip_stars();
    std::set<size_t> next;
    for (size_t p : positions) {
      if (p >= pattern.size()) continue;
      if (pattern[p] == '*') {
        next.insert(p);
      } else if (pattern[p] == '[') {
        size_t end = pattern.find(']', p + 2);
        if (end != std::string_view::npos) next.insert(end + 1);
      } else if (pattern[p] == '?' || pattern[p] == c) {
        next.insert(p + 1);
      }
    }
    positions = std::move(next);
  }
  std::vector<std::string> patterns;
  bool has_any = std::any_of(positions.begin(), positions.end(),
                             [&](size_t p) { return pattern.substr(p) == "*"; });
  for (size_t p : positions) {
    // A lone star takes in all others.
    if (has_any && pattern.substr(p) != "*") continue;
    patterns.push_back(std::string(prefix) + std::string(pattern.substr(p)));
  }
  return patterns;
}

}  // namespace awl::frontend
