// Turns diagnostics into the text a person reads:
//
//   script.bt:3:7-9: ERROR: undefined variable $x
//   print($x);
//         ~~
//   HINT: assign to it first
//
// Columns are bytes from 1, the last one exclusive; a span of several lines is "script.bt:3-5".
#pragma once

#include <string>

#include "frontend/diagnostics/diagnostic.h"

namespace awl::frontend {

struct RenderOptions {
  bool color = false;
  bool show_ids = false;  // append the kind's id in brackets (tests)
};

// One diagnostic with its source lines and notes; ends with a newline. Never fails, whatever
// bytes the script holds: control characters are shown escaped, long lines are cut around the span.
std::string render(const Diagnostic &diagnostic, const SourceManager &sources,
                   const RenderOptions &options = {});

}  // namespace awl::frontend
