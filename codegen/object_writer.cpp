#include "codegen/object_writer.h"

#include <elf.h>

#include <bit>
#include <cstddef>
#include <cstring>

namespace awl::codegen {
namespace {

// A view of an ELF object that reads nothing outside of it.
struct ElfView {
  std::vector<uint8_t> &bytes;
  Elf64_Ehdr header{};
  std::vector<Elf64_Shdr> sections;

  template <class T>
  bool read(uint64_t offset, T *out) const {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
    std::memcpy(out, bytes.data() + offset, sizeof(T));
    return true;
  }

  // The string at an offset in a string table; empty when there is none.
  std::string_view string(const Elf64_Shdr &table, uint64_t offset) const {
    if (table.sh_offset > bytes.size() || bytes.size() - table.sh_offset < table.sh_size) return {};
    if (offset >= table.sh_size) return {};
    const char *begin = reinterpret_cast<const char *>(bytes.data() + table.sh_offset + offset);
    size_t length = strnlen(begin, table.sh_size - offset);
    return {begin, length};
  }
};

Status open(ElfView &view) {
  if (!view.read(0, &view.header)) return Error{"the object is too short"};
  const Elf64_Ehdr &header = view.header;
  unsigned char order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != order || header.e_shentsize != sizeof(Elf64_Shdr)) {
    return Error{"the object is no 64-bit ELF file of this machine's byte order"};
  }
  // With 0xff00 sections and more the true number is in section 0; see elf(5).
  uint64_t count = header.e_shnum;
  Elf64_Shdr first{};
  if (count == 0 && view.read(header.e_shoff, &first)) count = first.sh_size;
  for (uint64_t i = 0; i < count; ++i) {
    Elf64_Shdr section{};
    if (!view.read(header.e_shoff + i * sizeof(section), &section)) {
      return Error{"the object's section table is cut off"};
    }
    view.sections.push_back(section);
  }
  if (header.e_shstrndx >= view.sections.size())
    return Error{"the object's sections have no names"};
  return ok();
}

void append(std::vector<uint8_t> &bytes, const void *data, size_t size) {
  const auto *begin = static_cast<const uint8_t *>(data);
  bytes.insert(bytes.end(), begin, begin + size);
}

}  // namespace

Result<std::vector<ElfSymbol>> read_symbols(const std::vector<uint8_t> &object) {
  ElfView view{const_cast<std::vector<uint8_t> &>(object)};
  if (Status status = open(view); !status) return status.error();
  const Elf64_Shdr &names = view.sections[view.header.e_shstrndx];
  std::vector<ElfSymbol> symbols;
  for (const Elf64_Shdr &table : view.sections) {
    if (table.sh_type != SHT_SYMTAB || table.sh_link >= view.sections.size()) continue;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol{};
      if (!view.read(table.sh_offset + at, &symbol))
        return Error{"the object's symbols are cut off"};
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= view.sections.size()) continue;
      const Elf64_Shdr &section = view.sections[symbol.st_shndx];
      symbols.push_back({view.string(view.sections[table.sh_link], symbol.st_name),
                         view.string(names, section.sh_name), symbol.st_value, symbol.st_size,
                         section.sh_offset + symbol.st_value,
                         ELF64_ST_TYPE(symbol.st_info) == STT_FUNC});
    }
  }
  return symbols;
}

// Nothing that is there moves, but for the string table of section names, which must grow: its copy
// goes to the end of the file, then the new section, then the table of sections with one more.
Status append_section(std::vector<uint8_t> &object, const std::string &name,
                      std::string_view contents) {
  ElfView view{object};
  if (Status status = open(view); !status) return status;
  if (view.header.e_shnum == 0 || view.header.e_shnum + 1 >= SHN_LORESERVE) {
    return Error{"the object has too many sections"};
  }
  Elf64_Shdr &names = view.sections[view.header.e_shstrndx];
  if (names.sh_offset > object.size() || object.size() - names.sh_offset < names.sh_size) {
    return Error{"the object's section names are cut off"};
  }
  std::vector<uint8_t> strings(
      object.begin() + static_cast<std::ptrdiff_t>(names.sh_offset),
      object.begin() + static_cast<std::ptrdiff_t>(names.sh_offset + names.sh_size));
  Elf64_Shdr section{};
  section.sh_name = static_cast<Elf64_Word>(strings.size());
  append(strings, name.c_str(), name.size() + 1);
  names.sh_offset = object.size();
  names.sh_size = strings.size();
  append(object, strings.data(), strings.size());

  // A string table: text it is, and libbpf remarks on sections of other types that it does not
  // know.
  section.sh_type = SHT_STRTAB;
  section.sh_offset = object.size();
  section.sh_size = contents.size();
  section.sh_addralign = 1;
  append(object, contents.data(), contents.size());
  object.resize((object.size() + 7) / 8 * 8);

  view.sections.push_back(section);
  view.header.e_shoff = object.size();
  view.header.e_shnum += 1;
  append(object, view.sections.data(), view.sections.size() * sizeof(Elf64_Shdr));
  std::memcpy(object.data(), &view.header, sizeof(view.header));
  return ok();
}

Result<std::vector<uint8_t>> object_file(const object::Object &object) {
  std::vector<uint8_t> bytes = object.elf;
  const std::string description = object::write_description(object.description);
  Status status = append_section(bytes, object::kSectionName, description);
  if (!status) return status.error();
  return bytes;
}

}  // namespace awl::codegen
