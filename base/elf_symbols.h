// The symbols of a user binary: what uprobes attach to and what user stacks are printed with.
//
// Reads .symtab and .dynsym of an ELF file, and the symbols of its separate debug file when the
// file itself is stripped. Everything is read once, when the file is opened, into memory of its
// own: the file may change afterwards.
//
// Addresses are those of the file (st_value); uprobes take offsets in the file. Executable
// PT_LOAD segments translate between both.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/elf_file.h"
#include "base/result.h"

namespace awl {

struct ElfSymbol {
  std::string_view name;  // without a version ("@GLIBC_2.2.5")
  uint64_t address = 0;
  uint64_t size = 0;         // bytes; 0: not known
  bool is_function = false;  // STT_FUNC or STT_GNU_IFUNC; else a data object
  bool is_global = false;    // global or weak binding
};

class ElfSymbols {
 public:
  static Result<std::shared_ptr<const ElfSymbols>> open(const std::string &path);

  const std::string &path() const { return path_; }
  const std::string &build_id() const { return build_id_; }  // hexadecimal; empty: none
  bool is_position_independent() const { return is_position_independent_; }
  // Whether it has no symbol table, nor a debug file that has: only exported names are known.
  bool is_stripped() const { return is_stripped_; }

  // All of them, defined here, in the file's order; several names may share one address.
  const std::vector<ElfSymbol> &symbols() const { return symbols_; }

  // A symbol by name; functions and then global ones win over others. Null: no such symbol.
  const ElfSymbol *find(std::string_view name) const;
  const ElfSymbol *find_function(std::string_view name) const;
  // Functions whose name matches a shell pattern, one per name, sorted by name.
  std::vector<const ElfSymbol *> functions(std::string_view pattern) const;
  // The function an address lies in (or, where the size is not known, behind whose start it lies
  // before the next, in the same section of code). Null: none. The first call sorts; safe to call
  // from several threads.
  const ElfSymbol *containing(uint64_t address) const;

  // From an address to the offset in the file of the same byte, and back. Only through segments
  // that are executable unless `any_segment`.
  std::optional<uint64_t> file_offset(uint64_t address, bool any_segment = false) const;
  std::optional<uint64_t> address_at(uint64_t file_offset, bool any_segment = false) const;

 private:
  friend class ElfReader;
  bool is_same_code(uint64_t first, uint64_t second) const;

  std::string path_;
  std::string build_id_;
  bool is_position_independent_ = false, is_stripped_ = false;
  std::vector<ElfSegment> segments_;
  std::vector<std::pair<uint64_t, uint64_t>>
      code_;  // sections of code: addresses, the last past it
  std::vector<ElfSymbol> symbols_;
  std::vector<std::unique_ptr<char[]>> strings_;  // what the names point into
  mutable std::once_flag is_sorted_;
  mutable std::vector<uint32_t> functions_by_address_;  // indices into symbols_
};

}  // namespace awl
