// Sections of a file with debug information, uncompressed where the file keeps them compressed.
//
// What a compressed section is to become is what the file claims: it is compared with what is there
// before anybody makes room for it.
#pragma once

#include <libelf.h>

#include <string_view>

#include "base/result.h"

namespace awl {

// Before libdw opens a file, which uncompresses what it finds. Errors: a section claims to be
// larger than its bytes can make it, or all of them are too large.
Status check_compressed_sections(Elf *elf);

// A section's content, which lives as long as `elf`; empty: there is none. One of the old style is
// named ".zdebug_…". Errors: it cannot be uncompressed, or lies outside of the file.
Result<std::string_view> find_debug_section(Elf *elf, std::string_view name);

}  // namespace awl
