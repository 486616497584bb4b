#include "base/dwarf/debug_package.h"

#include <dwarf.h>
#include <gelf.h>

#include <array>
#include <cstring>
#include <unordered_map>

namespace awl {
namespace {

constexpr uint64_t kMaxUnitStrings = 256u << 20;  // bytes; a file may name one string many times
constexpr uint64_t kMaxImages = 1u << 30;         // bytes of all units that were cut out

// Columns of the index (DWARF 5, table 7.1), as far as they are used. 5 is the section of location
// lists: .debug_loc before DWARF 5. 8 has another meaning there.
enum Column : uint32_t {
  kInfo = 1,
  kAbbreviations = 3,
  kLocations = 5,
  kStringOffsets = 6,
  kRangeLists = 8,
  kColumnEnd = 9,
};

struct Part {
  uint32_t offset = 0, size = 0;  // bytes
};
using Parts = std::array<std::optional<Part>, kColumnEnd>;

class UnitIndex {
 public:
  explicit UnitIndex(std::string_view section) : section_(section) {}

  // False: malformed, or of a version that is not known.
  bool read_header() {
    // The version has two bytes in DWARF 5, with padding behind, and four before.
    version_ = word(0);
    columns_ = word(4);
    units_ = word(8);
    slots_ = word(12);
    constexpr uint32_t kMaxColumns = 64;
    if ((version_ != 2 && version_ != 5) || columns_ > kMaxColumns ||
        (slots_ & (slots_ - 1)) != 0) {
      return false;
    }
    rows_at_ = kHeaderSize + uint64_t{slots_} * sizeof(uint64_t);
    offsets_at_ = rows_at_ + uint64_t{slots_} * kWordSize;
    sizes_at_ = offsets_at_ + (uint64_t{units_} + 1) * columns_ * kWordSize;
    return sizes_at_ + uint64_t{units_} * columns_ * kWordSize <= section_.size();
  }

  bool is_dwarf5() const { return version_ == 5; }

  std::optional<Parts> find(uint64_t id) const {
    const uint32_t mask = slots_ - 1;
    uint32_t slot = static_cast<uint32_t>(id) & mask;
    const uint32_t step = (static_cast<uint32_t>(id >> 32) & mask) | 1;
    for (uint32_t tries = 0; tries < slots_; ++tries, slot = (slot + step) & mask) {
      const uint32_t row = word(rows_at_ + uint64_t{slot} * kWordSize);
      if (row == 0) return std::nullopt;
      if (signature(slot) == id) return row <= units_ ? std::optional(parts(row)) : std::nullopt;
    }
    return std::nullopt;
  }

 private:
  static constexpr uint64_t kHeaderSize = 16, kWordSize = sizeof(uint32_t);

  uint32_t word(uint64_t at) const {
    uint32_t value = 0;
    if (at + sizeof value <= section_.size()) {
      std::memcpy(&value, section_.data() + at, sizeof value);
    }
    return value;
  }

  uint64_t signature(uint32_t slot) const {
    uint64_t value = 0;
    std::memcpy(&value, section_.data() + kHeaderSize + uint64_t{slot} * sizeof value,
                sizeof value);
    return value;
  }

  // Row 0 of the offsets says which section each column is for.
  Parts parts(uint32_t row) const {
    Parts parts;
    for (uint64_t i = 0; i < columns_; ++i) {
      const uint32_t column = word(offsets_at_ + i * kWordSize);
      if (column >= kColumnEnd) continue;
      parts[column] = Part{word(offsets_at_ + (uint64_t{row} * columns_ + i) * kWordSize),
                           word(sizes_at_ + ((uint64_t{row} - 1) * columns_ + i) * kWordSize)};
    }
    return parts;
  }

  std::string_view section_;
  uint32_t version_ = 0, columns_ = 0, units_ = 0, slots_ = 0;
  uint64_t rows_at_ = 0, offsets_at_ = 0, sizes_at_ = 0;
};

// The strings that a unit names, without all the others of the package, and where each begins.
class UnitStrings {
 public:
  UnitStrings(std::string_view all, std::string_view offsets, bool is_dwarf5)
      : all_(all), offsets_(offsets), header_size_(is_dwarf5 ? 8 : 0) {}

  // False: malformed.
  bool run() {
    uint32_t length = 0;
    if (offsets_.size() < header_size_) return false;
    if (header_size_ != 0) {
      std::memcpy(&length, offsets_.data(), sizeof length);
      if (length == UINT32_MAX) return false;  // offsets of 64 bits, which nobody packs
    }
    for (size_t at = header_size_; at + sizeof(uint32_t) <= offsets_.size();
         at += sizeof(uint32_t)) {
      uint32_t offset = 0;
      std::memcpy(&offset, offsets_.data() + at, sizeof offset);
      if (!move(&offset)) return false;
      std::memcpy(offsets_.data() + at, &offset, sizeof offset);
    }
    return true;
  }

  const std::string &offsets() const { return offsets_; }
  const std::string &strings() const { return strings_; }

 private:
  bool move(uint32_t *offset) {
    const auto [known, is_new] =
        moved_.try_emplace(*offset, static_cast<uint32_t>(strings_.size()));
    const uint32_t before = *offset;
    *offset = known->second;
    if (!is_new) return true;
    if (before >= all_.size()) return false;
    const size_t end = all_.find('\0', before);
    if (end == std::string_view::npos || strings_.size() + (end - before) > kMaxUnitStrings) {
      return false;
    }
    strings_.append(all_.substr(before, end + 1 - before));
    return true;
  }

  std::string_view all_;
  std::string offsets_, strings_;
  const size_t header_size_;
  std::unordered_map<uint32_t, uint32_t> moved_;
};

// An ELF file of sections alone, each as the last one ends.
class ImageWriter {
 public:
  explicit ImageWriter(const Elf64_Ehdr &like) : header_(like) {
    image_.resize(sizeof header_);
    sections_.emplace_back();  // number 0 stands for none
  }

  void add(std::string_view name, std::string_view content, uint32_t type = SHT_PROGBITS) {
    Elf64_Shdr section{};
    section.sh_name = static_cast<uint32_t>(names_.size());
    section.sh_type = type;
    section.sh_offset = image_.size();
    section.sh_size = content.size();
    section.sh_addralign = 1;
    names_.append(name).push_back('\0');
    image_.append(content);
    sections_.push_back(section);
  }

  std::string finish() {
    names_.append(".shstrtab").push_back('\0');
    const std::string names = names_;
    add("", names, SHT_STRTAB);
    sections_.back().sh_name = static_cast<uint32_t>(names.size() - sizeof ".shstrtab");
    image_.resize((image_.size() + 7) & ~size_t{7});
    header_.e_type = ET_REL;
    header_.e_entry = header_.e_phoff = header_.e_phnum = header_.e_phentsize = 0;
    header_.e_ehsize = sizeof header_;
    header_.e_shentsize = sizeof(Elf64_Shdr);
    header_.e_shoff = image_.size();
    header_.e_shnum = static_cast<uint16_t>(sections_.size());
    header_.e_shstrndx = static_cast<uint16_t>(sections_.size() - 1);
    std::memcpy(image_.data(), &header_, sizeof header_);
    image_.append(reinterpret_cast<const char *>(sections_.data()),
                  sections_.size() * sizeof(Elf64_Shdr));
    return std::move(image_);
  }

 private:
  Elf64_Ehdr header_;
  std::string image_, names_ = std::string(1, '\0');
  std::vector<Elf64_Shdr> sections_;
};

// The content of a section, uncompressed; it lives as long as `elf`.
std::string_view find_section(Elf *elf, std::string_view wanted) {
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return {};
  for (Elf_Scn *section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char *name = elf_strptr(elf, names, header.sh_name);
    if (name == nullptr || name != wanted) continue;
    if ((header.sh_flags & SHF_COMPRESSED) != 0 && elf_compress(section, 0, 0) < 0) return {};
    const Elf_Data *data = elf_rawdata(section, nullptr);
    if (data == nullptr || data->d_buf == nullptr) return {};
    return {static_cast<const char *>(data->d_buf), data->d_size};
  }
  return {};
}

// The addresses that a skeleton's unit names by number.
std::string_view addresses_of(Dwarf_Die skeleton) {
  Dwarf *dwarf = dwarf_cu_getdwarf(skeleton.cu);
  const std::string_view all = find_section(dwarf_getelf(dwarf), ".debug_addr");
  uint64_t base = 0;
  for (const unsigned name : {DW_AT_addr_base, DW_AT_GNU_addr_base}) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_attr(&skeleton, name, &attribute) == nullptr) continue;
    if (dwarf_formudata(&attribute, &value) != 0 || value > all.size()) return {};
    base = value;
    // The length of the table stands in a header, but for the GNU form.
    uint32_t length = 0;
    constexpr uint64_t kHeader = 8, kCounted = 4;  // bytes of the header, and those in the length
    if (name != DW_AT_addr_base || base < kHeader) break;
    std::memcpy(&length, all.data() + base - kHeader, sizeof length);
    if (length >= kCounted) return all.substr(base, length - kCounted);
  }
  return all.substr(base);
}

}  // namespace

Result<std::string> cut_out_unit(const PackageSections &package, const Elf64_Ehdr &header,
                                 uint64_t id, std::string_view addresses) {
  UnitIndex index(package.index);
  if (!index.read_header()) return Error{"the index of units is malformed", ENOEXEC};
  const std::optional<Parts> parts = index.find(id);
  if (!parts) return Error{"the unit is not there", ENOENT};
  ImageWriter image(header);
  const auto part = [&](Column column, std::string_view section) -> std::string_view {
    const std::optional<Part> &found = (*parts)[column];
    if (!found || found->offset > section.size()) return {};
    if (found->size > section.size() - found->offset) return {};
    return section.substr(found->offset, found->size);
  };
  const auto copy = [&](Column column, std::string_view name, std::string_view section) {
    const std::string_view bytes = part(column, section);
    if (!bytes.empty()) image.add(name, bytes);
  };
  // libdw takes these names as well as those that end in .dwo, but not both in one file.
  copy(kInfo, ".debug_info", package.info);
  copy(kAbbreviations, ".debug_abbrev", package.abbreviations);
  if (index.is_dwarf5()) {
    copy(kLocations, ".debug_loclists", package.location_lists);
    copy(kRangeLists, ".debug_rnglists", package.range_lists);
  } else {
    copy(kLocations, ".debug_loc", package.locations);
  }
  UnitStrings strings(package.strings, part(kStringOffsets, package.string_offsets),
                      index.is_dwarf5());
  if (!strings.run()) return Error{"the strings of a unit are malformed", ENOEXEC};
  image.add(".debug_str_offsets", strings.offsets());
  image.add(".debug_str", strings.strings());
  image.add(".debug_addr", addresses);
  return image.finish();
}

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
    Result<FileDescriptor> fd = open_file(path);
    if (!fd) continue;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd->get(), ELF_C_READ_MMAP, nullptr);
    const Elf64_Ehdr *header = elf64_getehdr(elf);
    const std::string_view index =
        header != nullptr ? find_section(elf, ".debug_cu_index") : std::string_view();
    constexpr char kByteOrder = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
    if (index.empty() || header->e_ident[EI_DATA] != kByteOrder) {
      elf_end(elf);
      continue;
    }
    header_ = *header;
    elf_ = elf;
    fd_ = std::move(*fd);
    sections_ = {.index = index,
                 .info = find_section(elf, ".debug_info.dwo"),
                 .abbreviations = find_section(elf, ".debug_abbrev.dwo"),
                 .strings = find_section(elf, ".debug_str.dwo"),
                 .string_offsets = find_section(elf, ".debug_str_offsets.dwo"),
                 .locations = find_section(elf, ".debug_loc.dwo"),
                 .location_lists = find_section(elf, ".debug_loclists.dwo"),
                 .range_lists = find_section(elf, ".debug_rnglists.dwo")};
    break;
  }
  paths_.clear();
}

std::optional<Dwarf_Die> DebugPackage::unit_of(Dwarf_Die skeleton) {
  uint64_t id = 0;
  uint8_t type = 0;
  if (dwarf_cu_info(skeleton.cu, nullptr, &type, nullptr, nullptr, &id, nullptr, nullptr) != 0 ||
      type != DW_UT_skeleton) {
    return std::nullopt;
  }
  if (!paths_.empty()) open();
  if (elf_ == nullptr) return std::nullopt;
  const auto [unit, is_new] = units_.try_emplace(id);
  if (is_new) open_unit(id, addresses_of(skeleton), unit->second);
  return unit->second.die;
}

void DebugPackage::open_unit(uint64_t id, std::string_view addresses, Unit &unit) {
  Result<std::string> image = cut_out_unit(sections_, header_, id, addresses);
  if (!image || image->size() > kMaxImages - bytes_) return;
  bytes_ += image->size();
  unit.image = std::move(*image);
  unit.elf = elf_memory(unit.image.data(), unit.image.size());
  unit.dwarf = dwarf_begin_elf(unit.elf, DWARF_C_READ, nullptr);
  if (unit.dwarf == nullptr) return;
  Dwarf_CU *next = nullptr;
  Dwarf_Die die;
  while (dwarf_get_units(unit.dwarf, next, &next, nullptr, nullptr, &die, nullptr) == 0) {
    uint64_t found = 0;
    uint8_t type = 0;
    if (dwarf_cu_info(next, nullptr, &type, nullptr, nullptr, &found, nullptr, nullptr) == 0 &&
        type == DW_UT_split_compile && found == id) {
      unit.die = die;
      return;
    }
  }
}

}  // namespace awl
