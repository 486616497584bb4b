#include "frontend/probes/probe_text.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/number.h"

namespace awl::frontend {

std::optional<ProbeNumber> parse_probe_number(std::string_view text) {
  NumberText number = read_number(text);
  // Of C's suffixes nothing is known here.
  bool is_right = number.problem == NumberText::Problem::kNone &&
                  number.suffix != NumberText::Suffix::kOfC && !text.starts_with('+');
  if (!is_right) return std::nullopt;
  return ProbeNumber{number.value, number.suffix == NumberText::Suffix::kUnit, number.is_negative};
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
