// Finding a file that lies uncompressed in a ZIP archive, as Android maps libraries out of .apk
// files (APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12, 4.3.16; Zip64 is not read).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace awl {

struct ZipEntry {
  uint64_t offset = 0;  // of its first byte in the archive
  uint64_t size = 0;    // bytes
};

// `size` is the archive's, `archive` its name for messages. Errors: no archive, no such entry, a
// compressed one, or one that does not begin on a page (the kernel could not map its code).
Result<ZipEntry> find_zip_entry(int fd, uint64_t size, const std::string &archive,
                                const std::string &name);

}  // namespace awl
