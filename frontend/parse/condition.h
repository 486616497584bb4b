// The expression after `#if`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace awl::frontend {

// Object-like macros by name with their bodies; function-like ones have no body.
using PreprocessorMacros = std::map<std::string, std::optional<std::string>, std::less<>>;

// The value of a C preprocessor expression; names that are not macros are 0, as in C. Nothing when
// the text is no such expression.
std::optional<int64_t> evaluate_condition(std::string_view text, const PreprocessorMacros &macros);

}  // namespace awl::frontend
