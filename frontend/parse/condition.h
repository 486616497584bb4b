// The expression after `#if`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace awl::frontend {

struct PreprocessorMacro {
  std::string body;
  std::vector<std::string> parameters;
  bool is_function_like = false;
};
using PreprocessorMacros = std::map<std::string, PreprocessorMacro, std::less<>>;

// The value of a C preprocessor expression; names that are not macros are 0, as in C. Nothing when
// the text is no such expression.
std::optional<int64_t> evaluate_condition(std::string_view text, const PreprocessorMacros &macros);

}  // namespace awl::frontend
