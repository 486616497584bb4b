// Names of Rust functions, mangled in either of its two ways; libstdc++ knows neither.
//
// Legacy: "_ZN", parts with their lengths, a hash, "E", as C++ mangles nested names, with "$LT$"
// and the like for characters that no symbol may have. v0 ("_R…", rust-lang RFC 2603): a grammar of
// paths and types with references back into the symbol. Hashes and crate disambiguators are left
// out, as people write names without them. A symbol is input from outside: depth and length are
// bounded.
#pragma once

#include <string>
#include <string_view>

namespace awl::runtime {

// Empty: not a symbol of that kind.
std::string demangle_rust_legacy(std::string_view symbol);
std::string demangle_rust_v0(std::string_view symbol);

}  // namespace awl::runtime
