#include <bitset>
#include <charconv>

#include "runtime/symbols/demangle_rust.h"
#include "runtime/symbols/utf8.h"

namespace awl::runtime {
namespace {

constexpr size_t kHashLength = 17;  // 'h' and 16 digits
// Fewer distinct digits than this are no hash (chance of a real one: below 1 in 10^6).
constexpr size_t kMinDistinctDigits = 5;

int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_hash(std::string_view part) {
  if (part.size() != kHashLength || part[0] != 'h') return false;
  std::bitset<16> seen;
  for (char c : part.substr(1)) {
    const int digit = hex_digit(c);
    if (digit < 0) return false;
    seen.set(static_cast<size_t>(digit));
  }
  return seen.count() >= kMinDistinctDigits;
}

// What stands between two dollar signs: a name, or "u" and the number of a character.
bool append_escape(std::string_view escape, std::string &out) {
  constexpr std::pair<std::string_view, char> kEscapes[] = {
      {"SP", '@'}, {"BP", '*'}, {"RF", '&'}, {"LT", '<'},
      {"GT", '>'}, {"LP", '('}, {"RP", ')'}, {"C", ','},
  };
  for (const auto &[name, character] : kEscapes) {
    if (escape != name) continue;
    out += character;
    return true;
  }
  if (escape.size() < 2 || escape[0] != 'u') return false;
  uint32_t character = 0;
  const char *end = escape.data() + escape.size();
  const auto result = std::from_chars(escape.data() + 1, end, character, 16);
  return result.ec == std::errc() && result.ptr == end && append_utf8(character, out);
}

void append_part(std::string_view part, std::string &out) {
  // A part that would begin with a dollar sign has an underscore in front of it.
  if (part.starts_with("_$")) part.remove_prefix(1);
  while (!part.empty()) {
    if (part.starts_with("..")) {
      out += "::";
      part.remove_prefix(2);
      continue;
    }
    const size_t end = part[0] == '$' ? part.find('$', 1) : std::string_view::npos;
    if (end != std::string_view::npos && append_escape(part.substr(1, end - 1), out)) {
      part.remove_prefix(end + 1);
      continue;
    }
    out += part[0];
    part.remove_prefix(1);
  }
}

}  // namespace

std::string demangle_rust_legacy(std::string_view symbol) {
  if (!symbol.starts_with("_ZN")) return "";
  symbol.remove_prefix(3);
  std::string out;
  for (;;) {
    size_t length = 0;
    const char *end = symbol.data() + symbol.size();
    const auto result = std::from_chars(symbol.data(), end, length);
    if (result.ec != std::errc() || length == 0) return "";
    symbol.remove_prefix(static_cast<size_t>(result.ptr - symbol.data()));
    if (length >= symbol.size()) return "";
    const std::string_view part = symbol.substr(0, length);
    symbol.remove_prefix(length);
    // Behind the end there may be a suffix of the compiler's: ".llvm.1234".
    if (symbol[0] == 'E') {
      const bool is_whole = symbol.size() == 1 || symbol[1] == '.';
      return is_whole && is_hash(part) ? out : "";
    }
    if (!out.empty()) out += "::";
    append_part(part, out);
  }
}

}  // namespace awl::runtime
