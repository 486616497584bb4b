// Packages of split debug information (`PROGRAM.dwp`), for a libdw that does not know them.
//
// A package holds what was in many .dwo files, section after section, and an index that tells by a
// unit's id where in each of them its part lies (DWARF 5, section 7.3.5; the GNU form for DWARF 4
// is the same but for one section). libdw up to 0.190 finds single .dwo files only. So a unit that
// is asked for is cut out of the package: its parts, the strings that it names, and the addresses
// that belong to its skeleton, become an ELF file in memory, which libdw opens like any other.
//
// Units of types (-fdebug-types-section) are not followed: what refers to them has no type.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace awl {

// The sections of a package that are read; each empty where there is none.
struct PackageSections {
  std::string_view index, info, abbreviations, strings, string_offsets;
  std::string_view locations, location_lists, range_lists;
};

// An ELF file with the one unit of that id, whose addresses are `addresses`. `header` is that of a
// file for the same machine. Errors: the unit is not in the package, or that is malformed.
Result<std::string> cut_out_unit(const PackageSections &package, const Elf64_Ehdr &header,
                                 uint64_t id, std::string_view addresses);

class DebugPackage {
 public:
  // The first of `paths` that is a package is used, when a unit is asked for.
  explicit DebugPackage(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  DebugPackage(const DebugPackage &) = delete;
  ~DebugPackage();

  // The unit that a skeleton stands for, valid as long as the package. Nothing: it is not in one.
  std::optional<Dwarf_Die> unit_of(Dwarf_Die skeleton);

 private:
  struct Unit {
    Unit() = default;
    Unit(const Unit &) = delete;
    ~Unit();

    std::string image;
    Elf *elf = nullptr;
    Dwarf *dwarf = nullptr;
    std::optional<Dwarf_Die> die;
  };
  void open();
  void open_unit(uint64_t id, std::string_view addresses, Unit &unit);

  std::vector<std::string> paths_;  // that have not been looked at
  FileDescriptor fd_;
  Elf *elf_ = nullptr;
  Elf64_Ehdr header_{};
  PackageSections sections_;
  std::map<uint64_t, Unit> units_;  // by id
  uint64_t bytes_ = 0;              // of all images
};

}  // namespace awl
