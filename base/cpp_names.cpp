#include "base/cpp_names.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include "base/pattern.h"

namespace awl {
namespace {

std::string demangle(std::string_view symbol) {
  if (!symbol.starts_with("_Z")) return "";
  int status = 0;
  const std::unique_ptr<char, void (*)(void *)> text(
      abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status), std::free);
  return text != nullptr && status == 0 ? text.get() : "";
}

// Cuts the parameters off: they begin at the last "(" that stands in no brackets, but for the
// "operator()" and "(anonymous namespace)" within a name.
std::string without_parameters(const std::string &name) {
  int depth = 0;
  size_t open = std::string::npos;
  for (size_t i = name.size(); i-- > 0;) {
    const char c = name[i];
    if (c == ')' || c == ']') ++depth;
    if (c == '[') --depth;
    if (c != '(' || --depth != 0) continue;
    open = i;
    break;
  }
  if (open == std::string::npos) return name;
  const bool is_operator = open >= 8 && name.compare(open - 8, 8, "operator") == 0;
  return is_operator ? name : name.substr(0, open);
}

// What a template function returns stands in front of its name.
std::string without_result(const std::string &name) {
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<' || name[i] == '(') ++depth;
    if (name[i] == '>' || name[i] == ')') --depth;
    if (name.compare(i, 8, "operator") == 0) break;
    if (name[i] == ' ' && depth == 0) begin = i + 1;
  }
  return name.substr(begin);
}

}  // namespace

std::string cpp_function_name(std::string_view symbol) {
  const std::string name = demangle(symbol);
  if (name.find('(') == std::string::npos) return name;
  return without_result(without_parameters(name));
}

bool matches_cpp_name(std::string_view pattern, std::string_view symbol) {
  const std::string name = demangle(symbol);
  if (name.empty()) return false;
  return matches_pattern(pattern, name) || matches_pattern(pattern, cpp_function_name(symbol));
}

}  // namespace awl
