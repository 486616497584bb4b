// The ELF file of an object: what the loader needs of it before libbpf sees it.
//
// The bytes are our own, so that instructions can be patched in place (patches change
// no size, so `.BTF.ext`'s line info stays right). The file is input from outside: every offset
// is checked against the bytes that are there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

struct bpf_insn;

namespace awl::runtime {

struct ObjectSection {
  std::string name;
  uint64_t offset = 0;  // in the file
  uint64_t size = 0;
  bool is_code = false;
  bool has_bytes = false;  // false: .bss and its like
};

struct ObjectSymbol {
  std::string name;
  uint32_t section = 0;  // index in sections(); 0: none
  uint64_t offset = 0;   // in the section
  uint64_t size = 0;
  bool is_function = false;
};

class ObjectFile {
 public:
  // Fails unless the bytes are a 64-bit little-endian BPF object.
  static Result<ObjectFile> parse(std::vector<uint8_t> bytes);

  const std::vector<uint8_t> &bytes() const { return bytes_; }
  const std::vector<ObjectSection> &sections() const { return sections_; }

  // Null: no such section or symbol.
  const ObjectSection *find_section(const std::string &name) const;
  const ObjectSymbol *find_symbol(const std::string &name, const std::string &section) const;

  // The content of a section as text; empty when there is none.
  std::string section_text(const ObjectSection &section) const;
  // An instruction of a section by its index. Null: outside.
  bpf_insn *instruction(const ObjectSection &section, uint64_t index);

 private:
  Status read();

  std::vector<uint8_t> bytes_;
  std::vector<ObjectSection> sections_;
  std::vector<ObjectSymbol> symbols_;
};

}  // namespace awl::runtime
