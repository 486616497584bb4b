// Finding a binary or library that a user named loosely, as the shell or the dynamic loader would.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace awl {

// The path of a file named
//   - by a path ("/bin/bash", "./a.out"), which only has to exist;
//   - by a name in $PATH ("bash");
//   - by a library's name as the dynamic loader knows it ("libssl.so.3"), without version
//     ("libc", "libssl.so"), or as the linker's -l takes it ("c", "ssl"): found through
//     ld.so.cache, else in the standard folders. Of several, one for this machine's 64-bit ABI
//     and of the highest version.
// Libraries win over programs only for names with ".so" or where no program has the name.
// `root` is put before every path looked at ("/proc/PID/root" for another mount namespace); the
// result has it too. A failure says where was looked.
Result<std::string> find_binary(const std::string &name, const std::string &root = "");

// One entry of ld.so.cache: the name a library is asked for by, and its path.
struct LibraryCacheEntry {
  std::string name;
  std::string path;
};
// The entries for this machine's 64-bit ABI in the content of an ld.so.cache (glibc's "new"
// format, alone or behind the old one). Empty when it is not one.
std::vector<LibraryCacheEntry> parse_library_cache(const std::string &content);

}  // namespace awl
