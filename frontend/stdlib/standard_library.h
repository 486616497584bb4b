// The part of the standard library that is written in the language itself: the macros in *.bt
// here, whose text the build puts into the program (cmake/embed_stdlib.cmake).
//
// expand_macros looks names up in the index, and parses a file when a script uses one of its
// macros. A script that uses none pays for none. Where a macro has the
// name of a builtin (`comm`), it is for numbers of arguments that the builtin does not take. It may
// use builtins, and macros of any file here.
//
// Above each macro stands its signature as the documentation shows it, a line `//: …` for each
// form.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace awl::frontend {

struct StandardFile {
  std::string_view name;  // "stdlib/base.bt"
  std::string_view text;
};

struct StandardName {
  std::string_view name;  // of a macro
  uint32_t file;          // where it is defined: index into standard_files()
};

std::span<const StandardFile> standard_files();
// Sorted; each name once.
std::span<const StandardName> standard_names();
// Null when the library has no such macro.
const StandardName *find_standard_name(std::string_view name);

}  // namespace awl::frontend
