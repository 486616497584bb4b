#include <cxxabi.h>

#include <cstdlib>

#include "runtime/symbols/demangle_rust.h"
#include "runtime/symbols/symbols.h"

namespace awl::runtime {
namespace {

// What is longer stays as it is: the time that demangling takes may grow faster than the symbol.
constexpr size_t kMaxSymbolLength = 1u << 14;

}  // namespace

std::string demangle(const std::string &symbol) {
  if (symbol.size() > kMaxSymbolLength) return symbol;
  std::string rust = demangle_rust_v0(symbol);
  if (rust.empty()) rust = demangle_rust_legacy(symbol);
  if (!rust.empty()) return rust;
  if (symbol.compare(0, 2, "_Z") != 0) return symbol;
  int status = 0;
  char *text = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  if (!text || status != 0) return symbol;
  std::string demangled = text;
  std::free(text);
  return demangled;
}

}  // namespace awl::runtime
