// Shell patterns, as attach points and listings use them: `*`, `?` and `[...]`.
#pragma once

#include <string_view>

namespace awl {

// Whether all of `text` matches: `*` is any run of characters (`/` and `:` too), `?` any one,
// `[a-z]` one of a set, `[!a-z]` one outside of it. A `[` that is never closed is itself.
// Takes at most |pattern| × |text| steps.
bool matches_pattern(std::string_view pattern, std::string_view text);

// Whether the text holds a wildcard, so that it may match more than itself.
bool has_wildcard(std::string_view text);

}  // namespace awl
