// The few things that are done to the ELF object after LLVM wrote it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/object/object.h"

namespace awl::codegen {

struct ElfSymbol {
  std::string_view name;
  std::string_view section;
  uint64_t value = 0;  // offset in its section
  uint64_t size = 0;
  uint64_t file_offset = 0;  // of the symbol in the object
  bool is_function = false;
};

// The symbols of an object that are defined in a section. Fails on anything that is not a 64-bit
// ELF file in this machine's byte order; the names point into `object`.
Result<std::vector<ElfSymbol>> read_symbols(const std::vector<uint8_t> &object);

// Appends a section that is not loaded: its header, its name, its bytes.
Status append_section(std::vector<uint8_t> &object, const std::string &name,
                      std::string_view contents);

// An object's file: the ELF with the description in its section `.awl`.
Result<std::vector<uint8_t>> object_file(const object::Object &object);

}  // namespace awl::codegen
