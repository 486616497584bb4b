// The C compiler that awl calls for `#include` and for `import` of C files.
//
// awl compiles scripts itself; clang is a helper for what is written in C, is looked for when a
// script needs it, and never otherwise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/helper_program.h"
#include "base/result.h"

namespace awl::frontend {

// $AWL_CLANG where it is set, else `clang`, else the newest `clang-N` in $PATH. Empty: none.
std::string find_clang();

// The first line of `clang --version`.
std::string clang_version(const std::string &clang);

// What to do about a clang that is not there.
inline constexpr std::string_view kInstallClang =
    "install clang (Debian and Ubuntu: apt install clang; Fedora: dnf install clang), or let "
    "AWL_CLANG name one";

// A message of the compiler: an error in what it read.
struct ClangMessage {
  std::string file;  // "<stdin>" for the text that it was given
  uint32_t line = 0, column = 0;
  std::string text;
  uint32_t input_line = 0;  // the line of the given text that led there; 0: none did
};

// The errors among what clang wrote, in its order.
std::vector<ClangMessage> parse_clang_messages(std::string_view text);

}  // namespace awl::frontend
