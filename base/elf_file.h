// An ELF file opened for reading: its sections, segments and build id.
//
// For 64-bit files of this machine's kind. A file is input from outside: every offset and size in
// it is checked where it is used. A library that lies uncompressed in a ZIP archive is named
// "ARCHIVE!/ENTRY"; offsets in the file are then those in the archive, which is what the kernel
// maps and where uprobes are put.
#pragma once

#include <elf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace awl {

// A loadable segment.
struct ElfSegment {
  uint64_t address = 0;      // p_vaddr
  uint64_t offset = 0;       // in the file that is opened (the archive, for one in an archive)
  uint64_t file_size = 0;    // bytes
  uint64_t memory_size = 0;  // bytes
  bool is_executable = false;
};

// From an address to the offset in the file of the same byte, and back. Only through segments that
// are executable unless `any_segment`.
std::optional<uint64_t> segment_offset(const std::vector<ElfSegment> &segments, uint64_t address,
                                       bool any_segment);
std::optional<uint64_t> segment_address(const std::vector<ElfSegment> &segments,
                                        uint64_t file_offset, bool any_segment);

class ElfFile {
 public:
  // Errors: no such file, not an ELF file, one for another machine (both ENOEXEC), malformed.
  static Result<ElfFile> open(const std::string &path);

  const std::string &path() const { return path_; }            // as it was named
  const std::string &file_path() const { return file_path_; }  // without "!/ENTRY"
  uint64_t start() const { return start_; }  // where in file_path() the ELF file begins
  uint64_t size() const { return size_; }    // bytes of the ELF file
  int fd() const { return fd_.get(); }

  const std::vector<Elf64_Shdr> &sections() const { return sections_; }
  std::string_view section_name(const Elf64_Shdr &section) const;
  const Elf64_Shdr *find_section(std::string_view name) const;  // null: none
  // The content of a section; empty when it has none in the file, is larger than `limit` bytes or
  // does not fit.
  std::string section_text(const Elf64_Shdr &section, uint64_t limit) const;

  const std::vector<ElfSegment> &segments() const { return segments_; }
  bool is_position_independent() const { return header_.e_type == ET_DYN; }
  std::string build_id() const;  // hexadecimal; empty: none

  // Whether so many bytes lie in the ELF file, and the bytes themselves.
  bool fits(uint64_t offset, uint64_t size) const {
    return offset <= size_ && size <= size_ - offset;
  }
  bool read(uint64_t offset, void *out, size_t size) const;

 private:
  ElfFile() = default;
  Status read_header();
  Status read_sections();
  void read_segments();
  Error malformed() const;

  std::string path_, file_path_;
  FileDescriptor fd_;
  uint64_t start_ = 0, size_ = 0;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
  std::string section_names_;
  std::vector<ElfSegment> segments_;
};

}  // namespace awl
