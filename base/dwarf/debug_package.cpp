#include "base/dwarf/debug_package.h"

#include <dwarf.h>
#include <fcntl.h>
#include <libelf.h>

#include <cstring>

#include "base/dwarf/debug_sections.h"

namespace awl {
namespace {

constexpr uint64_t kMaxImages = 1u << 30;  // bytes of all units that were cut out

std::optional<uint64_t> own_number(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(&die, name, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

DebugPackage::~DebugPackage() {
  units_.clear();
  if (elf_ != nullptr) elf_end(elf_);
}

DebugPackage::Unit::~Unit() {
  if (dwarf != nullptr) dwarf_end(dwarf);
  if (elf != nullptr) elf_end(elf);
}

void DebugPackage::open() {
  for (const std::string &path : paths_) {
    const Status status = open_file_at(path);
    if (status) {
      path_ = path;
      problem_.clear();
      break;
    }
    if (status.error().code != ENOENT && problem_.empty()) {
      problem_ = path + " cannot be read: " + status.error().message;
    }
    elf_end(elf_);
    elf_ = nullptr;
  }
  paths_.clear();
}

// Errors: there is none (ENOENT), or it is no package.
Status DebugPackage::open_file_at(const std::string &path) {
  Result<FileDescriptor> fd = open_file(path, O_NONBLOCK);
  if (!fd) return fd.error();
  fd_ = std::move(*fd);
  elf_version(EV_CURRENT);
  elf_ = elf_begin(fd_.get(), ELF_C_READ_MMAP, nullptr);
  const Elf64_Ehdr *header = elf64_getehdr(elf_);
  constexpr char kByteOrder = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
  if (header == nullptr || header->e_ident[EI_DATA] != kByteOrder) {
    return Error{"it is not an ELF file of this machine's kind", ENOEXEC};
  }
  header_ = *header;
  if (Status status = check_compressed_sections(elf_); !status) return status;
  PackageSections sections;
  const std::pair<const char *, std::string_view *> names[] = {
      {".debug_cu_index", &sections.index},
      {".debug_info.dwo", &sections.info},
      {".debug_abbrev.dwo", &sections.abbreviations},
      {".debug_str.dwo", &sections.strings},
      {".debug_str_offsets.dwo", &sections.string_offsets},
      {".debug_loc.dwo", &sections.locations},
      {".debug_loclists.dwo", &sections.location_lists},
      {".debug_rnglists.dwo", &sections.range_lists}};
  for (const auto &[name, content] : names) {
    Result<std::string_view> found = find_debug_section(elf_, name);
    if (!found) return found.error();
    *content = *found;
  }
  if (sections.index.empty()) return Error{"it has no index of units", ENOEXEC};
  Result<UnitPackage> package = UnitPackage::parse(sections);
  if (!package) return package.error();
  package_ = *package;
  return ok();
}

std::optional<uint64_t> DebugPackage::id_of(Dwarf_Die skeleton) {
  uint64_t id = 0;
  uint8_t type = 0;
  if (dwarf_cu_info(skeleton.cu, nullptr, &type, nullptr, nullptr, &id, nullptr, nullptr) != 0 ||
      type != DW_UT_skeleton) {
    return std::nullopt;
  }
  return id;
}

bool DebugPackage::has(Dwarf_Die skeleton) {
  const std::optional<uint64_t> id = id_of(skeleton);
  if (!id) return false;
  open();
  return package_.has(*id);
}

std::set<uint64_t> DebugPackage::units_with(std::string_view name) {
  open();
  return package_.units_with(name);
}

std::optional<Dwarf_Die> DebugPackage::unit_of(Dwarf_Die skeleton) {
  const std::optional<uint64_t> id = id_of(skeleton);
  if (!id) return std::nullopt;
  open();
  const auto [unit, is_new] = units_.try_emplace(*id);
  if (is_new) {
    const Status status = open_unit(*id, skeleton, unit->second);
    if (!status && status.error().code != ENOENT && problem_.empty()) {
      problem_ = path_ + " cannot be read: " + status.error().message;
    }
  }
  return unit->second.die;
}

Status DebugPackage::open_unit(uint64_t id, Dwarf_Die skeleton, Unit &unit) {
  if (!package_.has(id)) return Error{"the unit is not there", ENOENT};
  const Result<std::string_view> addresses = addresses_of(skeleton);
  if (!addresses) return addresses.error();
  Result<std::string> image = package_.cut_out(id, header_, *addresses, kMaxImages - bytes_);
  if (!image) return image.error();
  bytes_ += image->size();
  unit.image = std::move(*image);
  unit.elf = elf_memory(unit.image.data(), unit.image.size());
  unit.dwarf = dwarf_begin_elf(unit.elf, DWARF_C_READ, nullptr);
  Dwarf_CU *next = nullptr;
  Dwarf_Die die;
  while (unit.dwarf != nullptr &&
         dwarf_get_units(unit.dwarf, next, &next, nullptr, nullptr, &die, nullptr) == 0) {
    uint64_t found = 0;
    uint8_t type = 0;
    if (dwarf_cu_info(next, nullptr, &type, nullptr, nullptr, &found, nullptr, nullptr) == 0 &&
        type == DW_UT_split_compile && found == id) {
      unit.die = die;
      return ok();
    }
  }
  return Error{"what its index names as a unit is none", ENOEXEC};
}

// The addresses that a skeleton's unit names by number.
Result<std::string_view> DebugPackage::addresses_of(Dwarf_Die skeleton) {
  const Result<std::string_view> all = find_debug_section(dwarf_getelf(skeletons_), ".debug_addr");
  if (!all) return all;
  std::optional<uint64_t> base = own_number(skeleton, DW_AT_addr_base);
  if (base) {
    // The length of the table stands in a header.
    constexpr uint64_t kHeader = 8, kCounted = 4;  // bytes of the header, and those in the length
    uint32_t length = 0;
    if (*base > all->size() || *base < kHeader) return std::string_view();
    std::memcpy(&length, all->data() + *base - kHeader, sizeof length);
    return all->substr(*base, length >= kCounted ? length - kCounted : 0);
  }
  base = own_number(skeleton, DW_AT_GNU_addr_base);
  if (!base) return all;
  if (*base > all->size()) return std::string_view();
  // It has none in the GNU form, where it ends as the next one begins.
  collect_address_bases();
  const auto next = gnu_bases_->upper_bound(*base);
  return all->substr(*base, next == gnu_bases_->end() ? std::string_view::npos : *next - *base);
}

void DebugPackage::collect_address_bases() {
  if (gnu_bases_) return;
  gnu_bases_.emplace();
  Dwarf_CU *unit = nullptr;
  Dwarf_Die die;
  while (dwarf_get_units(skeletons_, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    if (const auto base = own_number(die, DW_AT_GNU_addr_base)) gnu_bases_->insert(*base);
  }
}

}  // namespace awl
