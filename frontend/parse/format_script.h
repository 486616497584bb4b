// The standard form of a script, for `awl --fmt`.
#pragma once

#include <optional>
#include <string>

#include "frontend/frontend.h"

namespace awl::frontend {

// The script with one statement a line, two spaces of indentation a level and lines of at most 100
// columns where they can be broken. Comments, blank lines between statements (one of several),
// preprocessor lines and C definitions stay as they are. What is formatted already stays the same,
// and means what it meant. Null: the script has errors, which have been reported.
std::optional<std::string> format_script(Compilation &compilation, std::string name,
                                         std::string text);

}  // namespace awl::frontend
