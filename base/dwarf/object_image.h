// An object file in memory, as a compiler has written it: not linked yet.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace awl {

// Debug information of a `.o` refers to its own sections by relocations, which libdw does not
// apply. `image` is such a file, of this machine's kind (x86-64 or AArch64), and is changed in
// place: those of its `.debug_*` sections. Errors: malformed, or for another machine.
Status relocate_debug_sections(std::string &image);

// Makes the global functions in `.text` of a BPF object hidden, in the sense of ELF: they are still
// linked by name, but libbpf has them verified as a part of the programs that call them, and so
// with what is known of the arguments, and not each by itself. Errors: malformed.
Status hide_functions(std::string &image);

// The bytes of a section; empty when there is none, or when the file is malformed.
std::string_view object_section(std::string_view image, std::string_view name);

}  // namespace awl
