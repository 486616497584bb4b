// Address families by name.
//
// Scripts include <sys/socket.h> or <linux/socket.h> for `AF_INET` more than for anything else. BTF
// has no macros; but these numbers are part of the kernel's interface and the same everywhere
// (linux/socket.h), so that neither the header nor a compiler is needed for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace awl::frontend {

// The value of `AF_INET` and its like.
std::optional<int64_t> address_family(std::string_view name);

// Whether a header is one that defines them.
bool defines_address_families(std::string_view header);

}  // namespace awl::frontend
