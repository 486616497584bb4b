// Packages of split debug information (`PROGRAM.dwp`), for a libdw that does not know them.
//
// libdw up to 0.190 finds single .dwo files only. So a unit that is asked for is cut out of the
// package (unit_package.h) into an ELF file in memory, which libdw opens like any other.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/dwarf/unit_package.h"
#include "base/file.h"
#include "base/result.h"

namespace awl {

class DebugPackage {
 public:
  // Of the skeletons in `dwarf`, which must outlive it. The first of `paths` that is a package is
  // used, when a unit is asked for.
  DebugPackage(std::vector<std::string> paths, Dwarf *dwarf)
      : paths_(std::move(paths)), skeletons_(dwarf) {}
  DebugPackage(const DebugPackage &) = delete;
  ~DebugPackage();

  bool has(Dwarf_Die skeleton);
  // The unit that a skeleton stands for, valid as long as the package. Nothing: it is not in one,
  // or that is damaged.
  std::optional<Dwarf_Die> unit_of(Dwarf_Die skeleton);
  // The ids of the units that may give something this name, which is cheaper to tell than to take
  // them all out.
  std::set<uint64_t> units_with(std::string_view name);
  // Which file is damaged, and how, as far as has been seen by now; empty: none.
  const std::string &problem() const { return problem_; }

  // What a skeleton and its unit have in common; nothing: it is no skeleton.
  static std::optional<uint64_t> id_of(Dwarf_Die skeleton);

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
  Status open_file_at(const std::string &path);
  Status open_unit(uint64_t id, Dwarf_Die skeleton, Unit &unit);
  Result<std::string_view> addresses_of(Dwarf_Die skeleton);
  void collect_address_bases();

  std::vector<std::string> paths_;  // that have not been looked at
  Dwarf *skeletons_;
  std::string path_, problem_;
  FileDescriptor fd_;
  Elf *elf_ = nullptr;
  Elf64_Ehdr header_{};
  UnitPackage package_;
  std::map<uint64_t, Unit> units_;               // by id
  uint64_t bytes_ = 0;                           // of all images
  std::optional<std::set<uint64_t>> gnu_bases_;  // where tables of addresses begin, in the GNU form
};

}  // namespace awl
