#include "base/pattern.h"

#include <cstddef>

namespace awl {
namespace {

// The position behind the bracket expression that opens at `start`, or `start` when it is never
// closed. A `]` right behind the opening is a member of the set.
size_t end_of_set(std::string_view pattern, size_t start) {
  size_t at = start + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
  if (at < pattern.size() && pattern[at] == ']') ++at;
  while (at < pattern.size() && pattern[at] != ']') ++at;
  return at < pattern.size() ? at + 1 : start;
}

// Whether a character is in the set written in pattern[start, end), brackets included.
bool is_in_set(std::string_view pattern, size_t start, size_t end, char c) {
  size_t at = start + 1;
  const size_t last = end - 1;
  const bool negated = pattern[at] == '!' || pattern[at] == '^';
  if (negated) ++at;
  const auto value = static_cast<unsigned char>(c);
  bool found = false;
  while (at < last) {
    const auto low = static_cast<unsigned char>(pattern[at]);
    auto high = low;
    if (at + 2 < last && pattern[at + 1] == '-') {
      high = static_cast<unsigned char>(pattern[at + 2]);
      at += 2;
    }
    found = found || (low <= value && value <= high);
    ++at;
  }
  return found != negated;
}

// Matches one character against the element of the pattern at `at`, which is not a star. The
// position behind the element, or npos.
size_t match_one(std::string_view pattern, size_t at, char c) {
  if (pattern[at] == '?') return at + 1;
  if (pattern[at] == '[') {
    const size_t end = end_of_set(pattern, at);
    if (end != at) return is_in_set(pattern, at, end, c) ? end : std::string_view::npos;
  }
  return pattern[at] == c ? at + 1 : std::string_view::npos;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  constexpr size_t kNone = std::string_view::npos;
  size_t p = 0, t = 0;
  // Only the last star ever needs to take more: what an earlier one left is already the first fit.
  size_t star = kNone, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    const size_t next = p < pattern.size() ? match_one(pattern, p, text[t]) : kNone;
    if (next != kNone) {
      p = next;
      ++t;
    } else if (star != kNone) {
      p = star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool has_wildcard(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '*' || text[at] == '?') return true;
    if (text[at] == '[' && end_of_set(text, at) != at) return true;
  }
  return false;
}

}  // namespace awl
