// The symbols of one process: its mapped files, what a JIT compiler wrote to /tmp/perf-PID.map.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/elf_symbols.h"
#include "base/file.h"
#include "runtime/symbols/symbols.h"

namespace awl::runtime {

// Files that have been read, shared by all processes that map them.
class SymbolFiles {
 public:
  // `identity` tells files at one path apart (device and inode number, namespaces). Null: cannot
  // be read.
  std::shared_ptr<const ElfSymbols> open(const std::string &path, const std::string &identity);

 private:
  std::unordered_map<std::string, std::shared_ptr<const ElfSymbols>> files_;
};

class ProcessSymbols {
 public:
  ProcessSymbols(uint32_t pid, SymbolFiles &files) : pid_(pid), files_(files) {}

  // Reads the list of mappings, where the process still lives.
  void read_mappings();
  bool has_mappings() const { return !mappings_.empty(); }
  // Reads the symbols of all mapped files, so that they are there when the process is gone.
  void read_files();

  // False: no symbol there.
  bool resolve(uint64_t address, Symbol &out);

 private:
  struct Mapping {
    uint64_t start = 0, end = 0, offset = 0;
    std::string path;
    std::string identity;
    bool is_executable = false;
    bool is_opened = false;
    std::shared_ptr<const ElfSymbols> file;
  };
  struct JitSymbol {
    uint64_t size = 0;
    std::string name;
  };

  Mapping *find_mapping(uint64_t address);
  void open_file(Mapping &mapping);
  bool resolve_jit(uint64_t address, Symbol &out);
  FileDescriptor open_jit_map();  // none: there is none, or nothing new in it
  void read_jit_map();

  uint32_t pid_;
  SymbolFiles &files_;
  std::vector<Mapping> mappings_;  // by address
  std::map<uint64_t, JitSymbol> jit_symbols_;
  uint64_t jit_map_size_ = 0;  // of the file when it was read
  std::optional<uid_t> owner_;
};

}  // namespace awl::runtime
