// C++ functions by the names that people give them.
#pragma once

#include <string>
#include <string_view>

namespace awl {

// The name of a mangled function without its parameters and what follows them:
// "MyApp::Server::handle_request(int) const" is "MyApp::Server::handle_request". Empty: the symbol
// is not mangled as the Itanium C++ ABI says.
std::string cpp_function_name(std::string_view symbol);

// Whether a symbol is meant by a name or pattern as C++ writes it, with or without parameters.
bool matches_cpp_name(std::string_view pattern, std::string_view symbol);

}  // namespace awl
