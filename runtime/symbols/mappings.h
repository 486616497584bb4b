// The code that a process has in memory, and the files it comes from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/elf_symbols.h"

namespace awl::runtime {

// A file that processes map; its symbols are read when first asked for.
struct MappedFile {
  std::string path;               // as the process sees it
  uint64_t inode = 0;             // 0: not known
  uint32_t major = 0, minor = 0;  // of its device
  std::shared_ptr<const ElfSymbols> symbols;
  bool is_kept = false;                // the file may be gone when it is asked for again
  std::optional<uint32_t> failed_for;  // the process through whose root it could not be read
};

struct Mapping {
  uint64_t start = 0, end = 0;
  uint64_t offset = 0;         // in the file
  MappedFile *file = nullptr;  // null: memory of no file
};

// Whether code may be there that no file holds: anonymous memory, or a file in memory alone.
bool is_made_at_run_time(const Mapping &mapping);

// All of them, each once; files at one path are told apart by device and inode.
class MappedFiles {
 public:
  // Null for a path that names no file ("", "//anon", "[heap]"). The pointer stays good.
  MappedFile *find(std::string_view path, uint32_t major, uint32_t minor, uint64_t inode);

  // The symbols of the file behind a mapping of a process; null: cannot be read. Looked for where
  // our own root shows the same file, which the end of the process takes from nobody; then through
  // the root of the process, which may be a container's.
  static const ElfSymbols *open(const Mapping &mapping, uint32_t pid);
  // The file itself, or a copy of what is mapped from none.
  static Result<ElfFile> open_elf(const Mapping &mapping, uint32_t pid);
  size_t size() const { return files_.size(); }
  void clear() { files_.clear(); }  // no mapping may be left
  void forget_symbols();            // of all but those kept; they are read anew when asked for

 private:
  std::unordered_map<std::string, std::unique_ptr<MappedFile>> files_;
};

// The executable mappings of a process at one time.
class Mappings {
 public:
  // From the text of /proc/PID/maps.
  static Mappings parse(std::string_view text, MappedFiles &files);
  // Null: nothing there.
  const Mapping *find(uint64_t address) const;
  // Takes the place of what it overlaps.
  void insert(const Mapping &mapping);
  bool empty() const { return mappings_.empty(); }
  const std::vector<Mapping> &all() const { return mappings_; }

 private:
  std::vector<Mapping> mappings_;  // by address, none overlaps another
};

}  // namespace awl::runtime
