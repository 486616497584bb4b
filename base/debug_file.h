// Separate debug files: where the symbols and the DWARF of a stripped binary lie.
//
// Looked for, in this order: in the folders of --debuginfo; by build id below
// /usr/lib/debug/.build-id; by the name in .gnu_debuglink beside the binary, in .debug/ beside it
// and below /usr/lib/debug. A file counts when it has the binary's build id; where one of both has
// none, when it has the checksum that .gnu_debuglink tells.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/elf_file.h"

namespace awl {

// Which of them are looked at: servers may have to be asked for others, which takes a while
// (base/debuginfod.h).
enum class DebugFiles { kInstalled, kFetched };

// The folders of --debuginfo, set once when the program starts. Relative ones count from the
// binary's folder; one that begins with a `+` takes files by checksum even when build ids differ.
void set_debug_folders(const std::vector<std::string> &folders);

// The path of the binary's debug file; empty: none. `path_in` a mount namespace
// ("/proc/PID/root/bin/x") is looked for there first.
std::string find_debug_file(const ElfFile &binary);

// The checksum in .gnu_debuglink: CRC-32 as in zlib, over a whole file. False: it cannot be read.
bool file_checksum(int fd, uint32_t *checksum);

}  // namespace awl
