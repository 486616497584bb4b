// The unwind rules of an ELF file, from its .eh_frame (System V ABI, DWARF 4 chapter 6.4, LSB
// core).
//
// The section is input from outside: every length in it is checked against what is left, and what
// cannot be followed becomes a row without a rule.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/elf_file.h"
#include "runtime/object/unwind.h"

namespace awl::runtime {

// Packed rows sorted by address. `section` starts at `address` in the file.
std::vector<uint64_t> read_eh_frame(std::string_view section, uint64_t address);
// The same of a file; never empty. Errors: it has no such section, or nothing in it can be read.
Result<std::vector<uint64_t>> read_unwind_rows(const ElfFile &file);

}  // namespace awl::runtime
