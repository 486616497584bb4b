// The values of literals.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "frontend/diagnostics/diagnostic.h"

namespace awl::frontend {

struct Number {
  uint64_t value = 0;
  bool is_duration = false;
};

// The value of a NUMBER token; a wrong one is reported and is 0.
Number decode_number(std::string_view text, Span span, Diagnostics &diagnostics);

// The bytes that a string literal means; `text` has its quotes. A wrong escape is reported at its
// place and left out.
std::string decode_string(std::string_view text, Span span, Diagnostics &diagnostics);

}  // namespace awl::frontend
