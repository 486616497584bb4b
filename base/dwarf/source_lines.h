// From a line of the source to the code that was made of it, and back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/dwarf/dwarf_file.h"
#include "base/result.h"

namespace awl {

// Addresses at which the statement at a line begins, ascending, each once. `file` is a path, or
// the end of one ("readline.c", "lib/readline.c"); column 0 means any. What is not there is an
// error that says what is: no such file, or the nearest lines that have code.
Result<std::vector<uint64_t>> find_statement(const DwarfFile &dwarf, const std::string &file,
                                             uint32_t line, uint32_t column);

// A place in the source that code was made of.
struct SourcePlace {
  std::string function;  // of one that was inlined; else empty: the symbol says it
  std::string file;
  uint32_t line = 0;
};

// What the code at an address comes from: functions that were inlined there, innermost first, and
// last the function that it stands in. Empty: not known.
std::vector<SourcePlace> find_source(const DwarfFile &dwarf, uint64_t address);

}  // namespace awl
