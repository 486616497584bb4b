// The symbols of one process: the files it has mapped, and what a JIT compiler tells of its code.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "runtime/symbols/jit_map.h"
#include "runtime/symbols/mappings.h"
#include "runtime/symbols/symbols.h"

namespace awl::runtime {

class ProcessSymbols {
 public:
  ProcessSymbols(uint32_t pid, MappedFiles &files) : pid_(pid), files_(files) {}

  // Reads what is mapped now, where the process still lives.
  void read_mappings();
  bool has_mappings() const { return mappings_ != nullptr; }
  // Reads the symbols of mapped files, so that they are there when the process is gone.
  void read_files(bool only_deleted);

  // What the process does, told as it happens.
  void add_mapping(const Mapping &mapping);
  void start_program();  // execve(2): what was mapped before is looked into last
  void copy_from(const ProcessSymbols &parent);

  // `is_followed`: what it maps is told by the functions above, so that /proc tells nothing new.
  // False: no symbol there.
  bool resolve(uint64_t address, bool is_followed, Symbol &out);

 private:
  const Mapping *find_mapping(uint64_t address) const;
  bool resolve_jit(uint64_t address, Symbol &out);

  uint32_t pid_;
  MappedFiles &files_;
  // Shared between a process and its children until one of them maps something.
  std::shared_ptr<const Mappings> mappings_;  // null: not known
  std::shared_ptr<const Mappings> before_;    // of the program before the last execve(2)
  std::chrono::steady_clock::time_point last_read_;
  std::unique_ptr<JitMap> jit_map_;
};

}  // namespace awl::runtime
