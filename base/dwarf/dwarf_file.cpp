#include "base/dwarf/dwarf_file.h"

#include <dwarf.h>

#include <cstdlib>
#include <memory>

#include "base/debuginfod.h"
#include "base/dwarf/debug_sections.h"
#include "base/dwarf/object_image.h"

namespace awl {
namespace {

constexpr uint64_t kMaxArchived = 1ull << 30;  // bytes of a file in an archive

bool has_debug_information(const ElfFile &file) {
  for (const char *name : {".debug_info", ".zdebug_info"}) {
    const Elf64_Shdr *section = file.find_section(name);
    if (section != nullptr && section->sh_type != SHT_NOBITS) return true;
  }
  return false;
}

// Where the package of a binary may lie: beside it, behind a link to it, beside its debug file.
std::vector<std::string> package_paths(const std::string &binary, const std::string &debug_file) {
  std::vector<std::string> paths{binary + ".dwp"};
  const std::unique_ptr<char, decltype(&free)> real(realpath(binary.c_str(), nullptr), free);
  if (real && real.get() != binary) paths.push_back(std::string(real.get()) + ".dwp");
  if (debug_file != binary) paths.push_back(debug_file + ".dwp");
  return paths;
}

// What libdw has found a skeleton to stand for; its address is null where it has not, and where the
// skeleton is none.
Dwarf_Die find_split(Dwarf_Die skeleton) {
  Dwarf_Die split{};
  uint8_t type = 0;
  if (dwarf_cu_info(skeleton.cu, nullptr, &type, nullptr, &split, nullptr, nullptr, nullptr) != 0 ||
      type != DW_UT_skeleton) {  // of a unit of types it would be the type
    return {};
  }
  return split;
}

}  // namespace

Result<std::shared_ptr<const DwarfFile>> DwarfFile::open(const std::string &path,
                                                         DebugFiles files) {
  Result<ElfFile> binary = ElfFile::open(path);
  if (!binary) return binary.error();
  std::shared_ptr<DwarfFile> file(new DwarfFile);
  file->path_ = path;
  file->build_id_ = binary->build_id();
  file->debug_path_ = has_debug_information(*binary) ? path : find_debug_file(*binary);
  if (file->debug_path_.empty() && files == DebugFiles::kFetched) {
    Result<std::string> fetched = fetch_debug_file(file->build_id_);
    if (!fetched) {
      return Error{path + " has no debug information here: " + fetched.error().message, ENOENT};
    }
    file->debug_path_ = std::move(*fetched);
  }
  if (file->debug_path_.empty()) return Error{path + " has no debug information", ENOENT};
  elf_version(EV_CURRENT);
  if (file->debug_path_ == path && binary->start() != 0) {
    if (binary->size() > kMaxArchived) return Error{path + " is too large", EFBIG};
    file->image_.resize(binary->size());
    if (!binary->read(0, file->image_.data(), file->image_.size())) {
      return Error{"cannot read " + path, EIO};
    }
    file->elf_ = elf_memory(file->image_.data(), file->image_.size());
  } else {
    Result<FileDescriptor> fd = open_file(file->debug_path_);
    if (!fd) return fd.error();
    file->fd_ = std::move(*fd);
    file->elf_ = elf_begin(file->fd_.get(), ELF_C_READ_MMAP, nullptr);
  }
  if (Status status = check_compressed_sections(file->elf_); !status) {
    return status.error().with_context(file->debug_path_);
  }
  file->dwarf_ = dwarf_begin_elf(file->elf_, DWARF_C_READ, nullptr);
  if (file->dwarf_ == nullptr) {
    return Error{
        "cannot read the debug information in " + file->debug_path_ + ": " + dwarf_errmsg(-1),
        ENOEXEC};
  }
  file->package_ =
      std::make_unique<DebugPackage>(package_paths(path, file->debug_path_), file->dwarf_);
  return std::shared_ptr<const DwarfFile>(std::move(file));
}

Result<std::shared_ptr<const DwarfFile>> DwarfFile::parse_object(std::string image) {
  if (Status status = relocate_debug_sections(image); !status) return status.error();
  std::shared_ptr<DwarfFile> file(new DwarfFile);
  file->image_ = std::move(image);
  elf_version(EV_CURRENT);
  file->elf_ = elf_memory(file->image_.data(), file->image_.size());
  file->dwarf_ = dwarf_begin_elf(file->elf_, DWARF_C_READ, nullptr);
  if (file->dwarf_ == nullptr) {
    return Error{std::string("cannot read the debug information: ") + dwarf_errmsg(-1), ENOEXEC};
  }
  return std::shared_ptr<const DwarfFile>(std::move(file));
}

DwarfFile::~DwarfFile() {
  package_.reset();  // looks into the skeletons
  if (dwarf_ != nullptr) dwarf_end(dwarf_);
  if (elf_ != nullptr) elf_end(elf_);
}

void DwarfFile::visit_roots(
    const std::function<bool(Dwarf_Die &root, uint8_t unit_type)> &visit) const {
  Dwarf_CU *unit = nullptr;
  uint8_t type = 0;
  Dwarf_Die root;
  while (dwarf_get_units(dwarf_, unit, &unit, nullptr, &type, &root, nullptr) == 0) {
    if (!visit(root, type)) return;
  }
}

void DwarfFile::visit_skeletons(const std::function<bool(Dwarf_Die &)> &visit) const {
  visit_roots([&](Dwarf_Die &root, uint8_t type) {
    const bool has_code = type == DW_UT_compile || type == DW_UT_skeleton || type == DW_UT_partial;
    return !has_code || visit(root);
  });
}

bool DwarfFile::visit_units_with(const std::string &name,
                                 const std::function<void(const DwarfUnit &)> &visit) const {
  std::optional<std::set<uint64_t>> packed;  // by id, those that are meant
  bool is_all = true;
  visit_roots([&](Dwarf_Die &skeleton, uint8_t) {
    if (find_split(skeleton).addr == nullptr && package_ && package_->has(skeleton)) {
      if (!packed) packed = package_->units_with(name);
      if (!packed->contains(*DebugPackage::id_of(skeleton))) {
        is_all = false;
        return true;
      }
    }
    visit(whole(skeleton));
    return true;
  });
  return is_all;
}

// A unit with what its skeleton stands for; the skeleton itself when nobody has that, and when it
// is none.
DwarfUnit DwarfFile::whole(Dwarf_Die skeleton) const {
  DwarfUnit unit{skeleton, find_split(skeleton)};
  if (unit.die.addr != nullptr) return unit;
  const std::optional<Dwarf_Die> packed =
      package_ ? package_->unit_of(skeleton) : std::optional<Dwarf_Die>();
  unit.die = packed ? *packed : skeleton;
  return unit;
}

std::string DwarfFile::missing_part() const {
  if (package_ && !package_->problem().empty()) return package_->problem();
  std::string name;
  visit_skeletons([&](Dwarf_Die &skeleton) {
    for (const unsigned attribute : {DW_AT_dwo_name, DW_AT_GNU_dwo_name}) {
      Dwarf_Attribute found;
      if (dwarf_attr(&skeleton, attribute, &found) == nullptr) continue;
      if (find_split(skeleton).addr != nullptr || (package_ && package_->has(skeleton))) continue;
      const char *text = dwarf_formstring(&found);
      name = text != nullptr ? text : "";
    }
    return name.empty();
  });
  if (name.empty()) return "";
  if (package_ && !package_->problem().empty()) return package_->problem();
  return "a part of it is in " + name + ", which is not there, and not in " + path_ + ".dwp";
}

std::optional<DwarfUnit> DwarfFile::unit_at(uint64_t address) const {
  // The index by address, where the compiler has made one; else units say what they cover.
  Dwarf_Die indexed;
  if (dwarf_addrdie(dwarf_, address, &indexed) != nullptr) return whole(indexed);
  std::optional<Dwarf_Die> found;
  visit_skeletons([&](Dwarf_Die &skeleton) {
    if (dwarf_haspc(&skeleton, address) == 1) found = skeleton;
    return !found;
  });
  return found ? std::optional(whole(*found)) : std::nullopt;
}

std::optional<uint64_t> dwarf_number(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  if (dwarf_attr_integrate(&die, attribute, &found) == nullptr) return std::nullopt;
  if (dwarf_formudata(&found, &value) != 0) return std::nullopt;
  return value;
}

bool dwarf_has_flag(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr_integrate(&die, attribute, &found) != nullptr &&
         dwarf_formflag(&found, &value) == 0 && value;
}

std::string dwarf_name(Dwarf_Die &die) {
  const char *name = dwarf_diename(&die);
  return name != nullptr ? name : "";
}

std::optional<Dwarf_Die> dwarf_referred(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Die result;
  if (dwarf_attr_integrate(&die, attribute, &found) == nullptr ||
      dwarf_formref_die(&found, &result) == nullptr) {
    return std::nullopt;
  }
  return result;
}

Dwarf_Die dwarf_definition(Dwarf_Die type) {
  Dwarf_Attribute found;
  Dwarf_Die result;
  if (dwarf_attr(&type, DW_AT_signature, &found) == nullptr ||
      dwarf_formref_die(&found, &result) == nullptr) {
    return type;
  }
  return result;
}

void dwarf_visit_children(Dwarf_Die &die, const std::function<bool(Dwarf_Die &)> &visit) {
  Dwarf_Die child;
  if (dwarf_child(&die, &child) != 0) return;
  do {
    if (!visit(child)) return;
  } while (dwarf_siblingof(&child, &child) == 0);
}

}  // namespace awl
