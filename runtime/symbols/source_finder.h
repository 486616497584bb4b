// From addresses in user binaries to lines of their source, by debug information (show_debug_info).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/dwarf/source_lines.h"
#include "runtime/symbols/symbols.h"

namespace awl::runtime {

class SourceFinder {
 public:
  // The places that the code of a symbol's address comes from, innermost first; empty: not known.
  // `is_caller`: the address is where a call returns to, which may be on the next line.
  std::vector<SourcePlace> find(const Symbol &symbol, uint32_t pid, bool is_caller);

 private:
  const DwarfFile *open(const Symbol &symbol, uint32_t pid);

  std::unordered_map<std::string, std::shared_ptr<const DwarfFile>> files_;  // null: has none
};

}  // namespace awl::runtime
