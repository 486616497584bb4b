#include "base/elf_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>

#include "base/zip.h"

namespace awl {
namespace {

constexpr uint64_t kMaxNamesSize = 1ull << 30;
constexpr uint64_t kMaxNoteSize = 1u << 16;
constexpr std::string_view kArchiveSeparator = "!/";

uint16_t native_machine() {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__aarch64__)
  return EM_AARCH64;
#elif defined(__riscv)
  return EM_RISCV;
#elif defined(__powerpc64__)
  return EM_PPC64;
#elif defined(__s390x__)
  return EM_S390;
#else
  return EM_NONE;
#endif
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

}  // namespace

std::optional<uint64_t> segment_offset(const std::vector<ElfSegment> &segments, uint64_t address,
                                       bool any_segment) {
  for (const ElfSegment &segment : segments) {
    if ((segment.is_executable || any_segment) && address >= segment.address &&
        address - segment.address < segment.file_size) {
      return address - segment.address + segment.offset;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> segment_address(const std::vector<ElfSegment> &segments,
                                        uint64_t file_offset, bool any_segment) {
  for (const ElfSegment &segment : segments) {
    if ((segment.is_executable || any_segment) && file_offset >= segment.offset &&
        file_offset - segment.offset < segment.file_size) {
      return file_offset - segment.offset + segment.address;
    }
  }
  return std::nullopt;
}

Result<ElfFile> ElfFile::open(const std::string &path) {
  ElfFile file;
  file.path_ = file.file_path_ = path;
  const size_t separator = path.find(kArchiveSeparator);
  if (separator != std::string::npos) file.file_path_ = path.substr(0, separator);
  // Without waiting for somebody to write into a FIFO; of files it changes nothing.
  Result<FileDescriptor> fd = open_file(file.file_path_, O_NONBLOCK);
  if (!fd) return fd.error();
  file.fd_ = std::move(*fd);
  struct stat status {};
  if (::fstat(file.fd_.get(), &status) != 0) return Error::from_errno("cannot look at " + path);
  if (!S_ISREG(status.st_mode)) return Error{path + " is not a regular file", ENOEXEC};
  file.size_ = static_cast<uint64_t>(status.st_size);
  if (separator != std::string::npos) {
    const std::string name = path.substr(separator + kArchiveSeparator.size());
    Result<ZipEntry> entry = find_zip_entry(file.fd_.get(), file.size_, file.file_path_, name);
    if (!entry) return entry.error();
    file.start_ = entry->offset;
    file.size_ = entry->size;
  }
  if (Status status = file.read_header(); !status) return status.error();
  if (Status status = file.read_sections(); !status) return status.error();
  file.read_segments();
  return file;
}

bool ElfFile::read(uint64_t offset, void *out, size_t size) const {
  return fits(offset, size) && read_at(fd_.get(), start_ + offset, out, size);
}

Error ElfFile::malformed() const { return Error{path_ + " is a malformed ELF file", ENOEXEC}; }

Status ElfFile::read_header() {
  if (!read(0, &header_, sizeof header_) || std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0) {
    return Error{path_ + " is not an ELF file", ENOEXEC};
  }
  if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_machine != native_machine()) {
    return Error{path_ + " is an ELF file for another kind of machine", ENOEXEC};
  }
  return ok();
}

Status ElfFile::read_sections() {
  if (header_.e_shoff == 0) return ok();
  if (header_.e_shentsize != sizeof(Elf64_Shdr)) return malformed();
  Elf64_Shdr first{};
  if (!read(header_.e_shoff, &first, sizeof first)) return malformed();
  // More sections than the header's field can count stand in the first section's size.
  const uint64_t count = header_.e_shnum != 0 ? header_.e_shnum : first.sh_size;
  if (count > size_ / sizeof(Elf64_Shdr)) return malformed();
  sections_.resize(count);
  if (!read(header_.e_shoff, sections_.data(), count * sizeof(Elf64_Shdr))) return malformed();
  const uint32_t names = header_.e_shstrndx == SHN_XINDEX ? first.sh_link : header_.e_shstrndx;
  if (names < count) section_names_ = section_text(sections_[names], kMaxNamesSize);
  return ok();
}

void ElfFile::read_segments() {
  const uint64_t count = header_.e_phnum;
  if (header_.e_phentsize != sizeof(Elf64_Phdr)) return;
  std::vector<Elf64_Phdr> headers(count);
  if (!read(header_.e_phoff, headers.data(), count * sizeof(Elf64_Phdr))) return;
  for (const Elf64_Phdr &segment : headers) {
    // One whose ends wrap around holds nothing.
    if (segment.p_type != PT_LOAD || segment.p_vaddr + segment.p_filesz < segment.p_vaddr ||
        start_ + segment.p_offset < start_ ||
        start_ + segment.p_offset + segment.p_filesz < segment.p_filesz) {
      continue;
    }
    segments_.push_back({segment.p_vaddr, start_ + segment.p_offset, segment.p_filesz,
                         segment.p_memsz, (segment.p_flags & PF_X) != 0});
  }
}

std::string_view ElfFile::section_name(const Elf64_Shdr &section) const {
  if (section.sh_name >= section_names_.size()) return {};
  const char *name = section_names_.data() + section.sh_name;
  return {name, ::strnlen(name, section_names_.size() - section.sh_name)};
}

const Elf64_Shdr *ElfFile::find_section(std::string_view name) const {
  for (const Elf64_Shdr &section : sections_) {
    if (section_name(section) == name) return &section;
  }
  return nullptr;
}

std::string ElfFile::section_text(const Elf64_Shdr &section, uint64_t limit) const {
  if (section.sh_type == SHT_NOBITS || section.sh_size > limit ||
      !fits(section.sh_offset, section.sh_size)) {
    return "";
  }
  std::string text(section.sh_size, '\0');
  return read(section.sh_offset, text.data(), text.size()) ? text : "";
}

std::string ElfFile::build_id() const {
  for (const Elf64_Shdr &section : sections_) {
    if (section.sh_type != SHT_NOTE || section_name(section) != ".note.gnu.build-id") continue;
    const std::string note = section_text(section, kMaxNoteSize);
    Elf64_Nhdr header{};
    if (note.size() < sizeof header) continue;
    std::memcpy(&header, note.data(), sizeof header);
    const uint64_t start = sizeof header + ((uint64_t{header.n_namesz} + 3) & ~uint64_t{3});
    if (header.n_type != NT_GNU_BUILD_ID || start > note.size() ||
        header.n_descsz > note.size() - start) {
      continue;
    }
    return hexadecimal(std::string_view(note).substr(start, header.n_descsz));
  }
  return "";
}

}  // namespace awl
