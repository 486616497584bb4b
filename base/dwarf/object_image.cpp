#include "base/dwarf/object_image.h"

#include <elf.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace awl {
namespace {

class ObjectImage {
 public:
  explicit ObjectImage(std::string_view image) : image_(image) {}

  Status read_sections() {
    if (!read(0, &header_) || std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
        header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB) {
      return Error{"not a 64-bit ELF file of this machine's byte order", ENOEXEC};
    }
    for (uint32_t i = 0; i < header_.e_shnum; ++i) {
      Elf64_Shdr section{};
      if (!read(header_.e_shoff + uint64_t{i} * sizeof section, &section)) {
        return Error{"the table of sections is cut off", ENOEXEC};
      }
      sections_.push_back(section);
    }
    if (header_.e_shstrndx >= sections_.size()) return Error{"sections have no names", ENOEXEC};
    return ok();
  }

  const Elf64_Ehdr &header() const { return header_; }
  const std::vector<Elf64_Shdr> &sections() const { return sections_; }

  bool fits(uint64_t offset, uint64_t size) const {
    return offset <= image_.size() && size <= image_.size() - offset;
  }

  template <class T>
  bool read(uint64_t offset, T *out) const {
    if (!fits(offset, sizeof(T))) return false;
    std::memcpy(out, image_.data() + offset, sizeof(T));
    return true;
  }

  // Up to the end of the file where the name does not end.
  std::string_view name(const Elf64_Shdr &section) const {
    const uint64_t at = sections_[header_.e_shstrndx].sh_offset + section.sh_name;
    if (!fits(at, 1)) return {};
    const std::string_view rest = image_.substr(at);
    return rest.substr(0, rest.find('\0'));
  }

 private:
  std::string_view image_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
};

class Relocator {
 public:
  explicit Relocator(std::string &image) : image_(image), view_(image) {}

  Status run() {
    if (Status status = view_.read_sections(); !status) return status;
    machine_ = view_.header().e_machine;
    if (machine_ != EM_X86_64 && machine_ != EM_AARCH64) {
      return Error{"an object of another machine", ENOEXEC};
    }
    const std::vector<Elf64_Shdr> &sections = view_.sections();
    for (const Elf64_Shdr &section : sections) {
      if (section.sh_type == SHT_RELA && section.sh_info < sections.size() &&
          section.sh_link < sections.size() &&
          view_.name(sections[section.sh_info]).starts_with(".debug_") && !apply(section)) {
        return Error{"relocations of the debug information are malformed", ENOEXEC};
      }
    }
    return ok();
  }

 private:
  // Bytes that a relocation of this kind writes; 0: none that debug information has use for.
  uint32_t width(uint64_t type) const {
    if (machine_ == EM_X86_64) {
      return type == R_X86_64_64 ? 8 : type == R_X86_64_32 || type == R_X86_64_32S ? 4 : 0;
    }
    return type == R_AARCH64_ABS64 ? 8 : type == R_AARCH64_ABS32 ? 4 : 0;
  }

  bool apply(const Elf64_Shdr &list) {
    const Elf64_Shdr &target = view_.sections()[list.sh_info];
    const Elf64_Shdr &symbols = view_.sections()[list.sh_link];
    for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= list.sh_size; at += sizeof(Elf64_Rela)) {
      Elf64_Rela relocation{};
      Elf64_Sym symbol{};
      if (!view_.read(list.sh_offset + at, &relocation) ||
          !view_.read(symbols.sh_offset + ELF64_R_SYM(relocation.r_info) * sizeof symbol,
                      &symbol)) {
        return false;
      }
      const uint32_t bytes = width(ELF64_R_TYPE(relocation.r_info));
      if (bytes == 0) continue;
      if (relocation.r_offset > target.sh_size || bytes > target.sh_size - relocation.r_offset ||
          !view_.fits(target.sh_offset + relocation.r_offset, bytes)) {
        return false;
      }
      // Sections lie at address 0.
      const uint64_t value = symbol.st_value + static_cast<uint64_t>(relocation.r_addend);
      std::memcpy(image_.data() + target.sh_offset + relocation.r_offset, &value, bytes);
    }
    return true;
  }

  std::string &image_;  // as large as when `view_` was made
  ObjectImage view_;
  uint16_t machine_ = 0;
};

}  // namespace

Status relocate_debug_sections(std::string &image) { return Relocator(image).run(); }

Status hide_functions(std::string &image) {
  ObjectImage view(image);
  if (Status status = view.read_sections(); !status) return status;
  for (const Elf64_Shdr &table : view.sections()) {
    if (table.sh_type != SHT_SYMTAB) continue;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol{};
      if (!view.read(table.sh_offset + at, &symbol))
        return Error{"the table of symbols is cut off", ENOEXEC};
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC ||
          ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL ||
          symbol.st_shndx >= view.sections().size() ||
          view.name(view.sections()[symbol.st_shndx]) != ".text") {
        continue;
      }
      symbol.st_other = STV_HIDDEN;
      std::memcpy(image.data() + table.sh_offset + at, &symbol, sizeof symbol);
    }
  }
  return ok();
}

std::string_view object_section(std::string_view image, std::string_view name) {
  ObjectImage view(image);
  if (!view.read_sections()) return {};
  for (const Elf64_Shdr &section : view.sections()) {
    if (view.name(section) != name || section.sh_type == SHT_NOBITS) continue;
    if (!view.fits(section.sh_offset, section.sh_size)) return {};
    return image.substr(section.sh_offset, section.sh_size);
  }
  return {};
}

}  // namespace awl
