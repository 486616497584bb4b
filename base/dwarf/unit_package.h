// Units of a package of split debug information, cut out one by one.
//
// A package holds what was in many .dwo files, section after section, and an index that tells by a
// unit's id where in each of them its part lies (DWARF 5, section 7.3.5; the GNU form for DWARF 4
// is the same but for one section). A unit that is cut out, its parts with the strings that it
// names and the addresses that belong to its skeleton, is an ELF file like a .dwo file. That is a
// copy, which is why there are ways to look before.
//
// Units of types (-fdebug-types-section) are not followed: each has its strings and abbreviations
// in the parts of another .dwo file, and a file has one of each.
#pragma once

#include <elf.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace awl {

// The sections of a package that are read; each empty where there is none.
struct PackageSections {
  std::string_view index, info, abbreviations, strings, string_offsets;
  std::string_view locations, location_lists, range_lists;
};

class UnitPackage {
 public:
  UnitPackage() = default;  // holds nothing
  // The sections must outlive it. Errors: the index is malformed.
  static Result<UnitPackage> parse(const PackageSections &sections);

  bool has(uint64_t id) const { return find_row(id) != 0; }
  // The ids of the units that may give something this name: those that have the text.
  std::set<uint64_t> units_with(std::string_view name) const;
  // An ELF file with the one unit of that id, whose addresses are `addresses`. `header` is that of
  // a file for the same machine. Errors: not there (ENOENT), larger than `limit` bytes (EFBIG),
  // malformed.
  Result<std::string> cut_out(uint64_t id, const Elf64_Ehdr &header, std::string_view addresses,
                              uint64_t limit) const;

 private:
  // Columns of the index (DWARF 5, table 7.1), as far as they are used. 5 is the section of
  // location lists: .debug_loc before DWARF 5. 8 has another meaning there.
  enum Column : uint32_t {
    kInfo = 1,
    kAbbreviations = 3,
    kLocations = 5,
    kStringOffsets = 6,
    kRangeLists = 8,
    kColumnEnd = 9,
  };
  struct Parts {
    std::string_view of[kColumnEnd];
    bool fit = true;  // each lies in its section
  };

  bool read_header();
  bool is_dwarf5() const { return version_ == 5; }
  uint32_t find_row(uint64_t id) const;  // 0: not there
  Parts parts(uint32_t row) const;
  std::string_view section_of(uint32_t column) const;
  uint32_t word(uint64_t at) const;
  uint64_t signature(uint32_t slot) const;

  PackageSections sections_;
  uint32_t version_ = 0, columns_ = 0, units_ = 0, slots_ = 0;
  uint64_t rows_at_ = 0, offsets_at_ = 0, sizes_at_ = 0;  // in the index
};

}  // namespace awl
