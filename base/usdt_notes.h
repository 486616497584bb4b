// User statically-defined tracing: the probes that a binary declares in its section .note.stapsdt
// (<sys/sdt.h> of SystemTap; its wiki page UserSpaceProbeImplementation describes the notes).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/elf_file.h"
#include "base/result.h"

namespace awl {

// One place of a probe; a probe that was inlined, or is written several times, has several.
struct UsdtPlace {
  std::string provider, name;
  std::string arguments;     // "-4@%edi 8@(%rsp)", see usdt_arguments.h
  uint64_t address = 0;      // of the place, as st_value counts
  uint64_t file_offset = 0;  // of the place
  uint64_t semaphore = 0;    // file offset of the u16 that counts who listens; 0: none
};

// All places, in the file's order. Those that are not in code are left out.
std::vector<UsdtPlace> read_usdt_places(const ElfFile &file);
Result<std::vector<UsdtPlace>> read_usdt_places(const std::string &path);

}  // namespace awl
