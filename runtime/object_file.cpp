#include "runtime/object_file.h"

#include <elf.h>
#include <linux/bpf.h>

#include <cstring>

namespace awl::runtime {
namespace {

constexpr uint16_t kElfMachineBpf = 247;  // EM_BPF
constexpr size_t kMaxObjectSize = 256u << 20;

// A plain structure at an offset in the bytes, when it lies inside them.
template <class T>
bool load(const std::vector<uint8_t> &bytes, uint64_t offset, T *out) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  memcpy(out, bytes.data() + offset, sizeof(T));
  return true;
}

bool is_inside(const std::vector<uint8_t> &bytes, uint64_t offset, uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

// The NUL-terminated string at `offset` of a string table; empty when it leads out of it.
std::string string_at(const std::vector<uint8_t> &bytes, const ObjectSection &table,
                      uint64_t offset) {
  if (!table.has_bytes || offset >= table.size) return {};
  const char *begin = reinterpret_cast<const char *>(bytes.data()) + table.offset + offset;
  return std::string(begin, strnlen(begin, table.size - offset));
}

}  // namespace

Result<ObjectFile> ObjectFile::parse(std::vector<uint8_t> bytes) {
  if (bytes.size() > kMaxObjectSize) return Error{"the object is larger than 256 MiB"};
  ObjectFile file;
  file.bytes_ = std::move(bytes);
  Status status = file.read();
  if (!status) return status.error();
  return file;
}

Status ObjectFile::read() {
  Elf64_Ehdr header;
  if (!load(bytes_, 0, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return Error{"this is not an ELF file"};
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != kElfMachineBpf) {
    return Error{"this is not a BPF object for little-endian machines"};
  }
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return Error{"the object has no sections"};
  std::vector<Elf64_Shdr> headers(header.e_shnum);
  for (size_t i = 0; i < headers.size(); ++i) {
    if (!load(bytes_, header.e_shoff + i * sizeof(Elf64_Shdr), &headers[i])) {
      return Error{"the object's section table leads out of the file"};
    }
    ObjectSection section;
    section.offset = headers[i].sh_offset;
    section.size = headers[i].sh_size;
    section.is_code = headers[i].sh_type == SHT_PROGBITS && (headers[i].sh_flags & SHF_EXECINSTR);
    section.has_bytes = headers[i].sh_type != SHT_NOBITS && headers[i].sh_type != SHT_NULL;
    if (section.has_bytes && !is_inside(bytes_, section.offset, section.size)) {
      return Error{"a section of the object leads out of the file"};
    }
    sections_.push_back(section);
  }
  if (header.e_shstrndx >= sections_.size()) return Error{"the object's sections have no names"};
  for (size_t i = 0; i < sections_.size(); ++i) {
    sections_[i].name = string_at(bytes_, sections_[header.e_shstrndx], headers[i].sh_name);
  }
  for (size_t i = 0; i < sections_.size(); ++i) {
    if (headers[i].sh_type != SHT_SYMTAB || headers[i].sh_link >= sections_.size()) continue;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= sections_[i].size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      load(bytes_, sections_[i].offset + at, &symbol);
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= sections_.size()) continue;
      symbols_.push_back({string_at(bytes_, sections_[headers[i].sh_link], symbol.st_name),
                          symbol.st_shndx, symbol.st_value, symbol.st_size,
                          ELF64_ST_TYPE(symbol.st_info) == STT_FUNC});
    }
  }
  return ok();
}

const ObjectSection *ObjectFile::find_section(const std::string &name) const {
  for (const ObjectSection &section : sections_) {
    if (section.name == name && section.has_bytes) return &section;
  }
  return nullptr;
}

const ObjectSymbol *ObjectFile::find_symbol(const std::string &name,
                                            const std::string &section) const {
  for (const ObjectSymbol &symbol : symbols_) {
    if (symbol.name == name && sections_[symbol.section].name == section) return &symbol;
  }
  return nullptr;
}

std::string ObjectFile::section_text(const ObjectSection &section) const {
  return std::string(reinterpret_cast<const char *>(bytes_.data()) + section.offset, section.size);
}

bpf_insn *ObjectFile::instruction(const ObjectSection &section, uint64_t index) {
  if (section.offset % alignof(bpf_insn) != 0) return nullptr;
  if (!section.is_code || index >= section.size / sizeof(bpf_insn)) return nullptr;
  return reinterpret_cast<bpf_insn *>(bytes_.data() + section.offset) + index;
}

}  // namespace awl::runtime
