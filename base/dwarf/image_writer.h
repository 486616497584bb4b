// Writes an ELF file of sections alone, each where the last one ends.
#pragma once

#include <elf.h>

#include <string>
#include <string_view>
#include <vector>

namespace awl {

class ImageWriter {
 public:
  // Bytes of a file of ten sections besides their content, at most.
  static constexpr size_t kMaxOverhead = 4096;

  // `like`: the header of a file for the same machine.
  explicit ImageWriter(const Elf64_Ehdr &like);
  void add(std::string_view name, std::string_view content, uint32_t type = SHT_PROGBITS);
  std::string finish();

 private:
  Elf64_Ehdr header_;
  std::string image_, names_ = std::string(1, '\0');
  std::vector<Elf64_Shdr> sections_;
};

}  // namespace awl
