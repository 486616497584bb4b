// Numbers and patterns in the parts of attach points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace awl::frontend {

struct ProbeNumber {
  uint64_t value = 0;        // a duration is in nanoseconds
  bool has_unit = false;     // written with ns, us, ms, s, m, h or d
  bool is_negative = false;  // `value` is then without the sign
};

// A number as the language writes it: decimal, hexadecimal, octal, `1e6`, `1_000`, `100ms`. Null
// when it is none or does not fit.
std::optional<ProbeNumber> parse_probe_number(std::string_view text);

// Patterns for the names that begin with `prefix` and match `pattern`. Empty when there can be
// none. Brackets in a pattern may make it match more than it should; the prefix always holds.
std::vector<std::string> patterns_with_prefix(std::string_view pattern, std::string_view prefix);

}  // namespace awl::frontend
