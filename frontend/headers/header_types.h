// The types of a script's C headers beside those of the kernel.
#pragma once

#include <memory>

#include "frontend/target/dwarf_types.h"

namespace awl::frontend {

// What a header defines goes before what `kernel` knows, as the script asked for that header; but
// not what a header of the kernel defines, when `kernel` knows it too: its type is then right for
// the kernel that runs, and is relocated. `types` are those of all headers.
std::unique_ptr<TypeStore::Resolver> make_header_resolver(
    std::unique_ptr<DwarfTypes> types, std::unique_ptr<TypeStore::Resolver> kernel);

}  // namespace awl::frontend
