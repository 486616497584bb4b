// The kernel's symbols, from /proc/kallsyms: 120,000 lines, so read once and only when asked for.
//
// Without CAP_SYSLOG the kernel shows all addresses as 0; such symbols are left out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

struct KernelSymbol {
  uint64_t address = 0;
  std::string_view name;
  std::string_view module;   // empty: the kernel itself
  bool is_function = false;  // in a text section: types t, T, w, W
};

// One line, "ffffffff81000000 T _stext" or "ffffffffc0201000 t init [ext4]". False: not of that
// form, or of an address that the kernel hides.
bool parse_kernel_symbol(std::string_view line, KernelSymbol *out);

class KernelSymbols {
 public:
  static Result<std::shared_ptr<const KernelSymbols>> read(
      const std::string &path = "/proc/kallsyms");
  // The same from text already read.
  static std::shared_ptr<const KernelSymbols> parse(std::string text);

  // Sorted by address; where several names share an address, in the kernel's order.
  const std::vector<KernelSymbol> &symbols() const { return symbols_; }
  // First symbol of that name. Null: none.
  const KernelSymbol *find(std::string_view name) const;
  // The last symbol at or below an address. Null: below the first.
  const KernelSymbol *containing(uint64_t address) const;

 private:
  std::string text_;  // what the names point into
  std::vector<KernelSymbol> symbols_;
};

// The address of one symbol: stops reading where it is found. Nothing: no such symbol, or the
// kernel hides its address.
std::optional<uint64_t> find_kernel_symbol(const std::string &name,
                                           const std::string &path = "/proc/kallsyms");

}  // namespace awl
