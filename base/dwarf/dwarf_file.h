// The debug information (DWARF) of a user binary, opened through libdw.
//
// It is taken from the binary itself, else from its separate debug file (base/debug_file.h), which
// servers may be asked for (base/debuginfod.h). Units
// that were split off stand in the place of their skeletons: libdw finds .dwo files, and packages
// of them from 0.191 on; what it does not find is looked for in a package here (debug_package.h).
// libdw checks what it reads; depths and counts are bounded by those who walk its trees.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/debug_file.h"
#include "base/dwarf/debug_package.h"
#include "base/elf_file.h"
#include "base/file.h"
#include "base/result.h"

namespace awl {

// A compilation unit. Line tables belong to the skeleton; without a split both are the same.
struct DwarfUnit {
  Dwarf_Die skeleton{};
  Dwarf_Die die{};
};

class DwarfFile {
 public:
  // Errors: the file cannot be read, or has no debug information.
  static Result<std::shared_ptr<const DwarfFile>> open(const std::string &path,
                                                       DebugFiles files = DebugFiles::kInstalled);
  // Of an object file in memory, as a compiler has written it. Errors: as above, malformed.
  static Result<std::shared_ptr<const DwarfFile>> parse_object(std::string image);
  DwarfFile(const DwarfFile &) = delete;
  ~DwarfFile();

  const std::string &path() const { return path_; }          // of the binary
  const std::string &build_id() const { return build_id_; }  // of the binary; empty: none

  // Calls `visit` for each unit until it returns false. What was split off is not opened.
  void visit_skeletons(const std::function<bool(Dwarf_Die &)> &visit) const;
  // Calls `visit` for the units that may give something this name, those of types among them. True:
  // that was all there are.
  bool visit_units_with(const std::string &name,
                        const std::function<void(const DwarfUnit &)> &visit) const;
  // The unit with the code at an address.
  std::optional<DwarfUnit> unit_at(uint64_t address) const;
  // Why not all is described that should be: a file that holds a unit is not there, or damaged;
  // empty: all is there that was looked for.
  std::string missing_part() const;

 private:
  DwarfFile() = default;
  void visit_roots(const std::function<bool(Dwarf_Die &root, uint8_t unit_type)> &visit) const;
  DwarfUnit whole(Dwarf_Die skeleton) const;

  std::string path_, build_id_, debug_path_;
  FileDescriptor fd_;
  std::string image_;  // of a file in an archive, or of an object in memory
  Elf *elf_ = nullptr;
  Dwarf *dwarf_ = nullptr;
  std::unique_ptr<DebugPackage> package_;  // null: of an object in memory
};

// Attributes, through the entries that an entry refers to (specification, abstract origin).
std::optional<uint64_t> dwarf_number(Dwarf_Die &die, unsigned attribute);
bool dwarf_has_flag(Dwarf_Die &die, unsigned attribute);
std::string dwarf_name(Dwarf_Die &die);  // empty: none
// The entry that an attribute refers to.
std::optional<Dwarf_Die> dwarf_referred(Dwarf_Die &die, unsigned attribute);
// What a type stands for whose definition is in a unit of types (-fdebug-types-section); the type
// itself when it is defined in place, or when that unit is not found.
Dwarf_Die dwarf_definition(Dwarf_Die type);
// Calls `visit` for each child until it returns false.
void dwarf_visit_children(Dwarf_Die &die, const std::function<bool(Dwarf_Die &)> &visit);

}  // namespace awl
