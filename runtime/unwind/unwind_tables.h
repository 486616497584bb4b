// Fills the maps that dw_ustack unwinds by: the tables of files and the mappings of processes
// (runtime/object/unwind.h). A file is read once, whoever maps it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "runtime/object/unwind.h"
#include "runtime/symbols/mappings.h"

namespace awl::runtime {

// An empty table, which is what the kernel wants to see when it loads the map that holds tables.
// Invalid: it could not be made.
FileDescriptor make_unwind_table(uint32_t rows);

class UnwindTables {
 public:
  // Descriptors of the two maps; negative: the object has none.
  UnwindTables(int processes_map, int tables_map)
      : processes_map_(processes_map), tables_map_(tables_map) {}

  bool is_used() const { return processes_map_ >= 0; }
  // Called once for each file whose rules cannot be had, for the first child that there is no room
  // for, and when children have been dropped first: which stacks will end where, and why.
  void set_on_problem(std::function<void(const std::string &)> then) {
    on_problem_ = std::move(then);
  }
  // Takes what a process has mapped by now. Files without rules are left out.
  Status add_process(uint32_t pid);
  bool has_process(uint32_t pid) const { return processes_.contains(pid); }
  // A child has what its parent has mapped, if that is known here, until it runs another program
  // or its last thread ends.
  void inherit(uint32_t child, uint32_t parent);
  void forget_inherited(uint32_t pid);
  void add_thread(uint32_t pid);
  void end_thread(uint32_t pid);
  // Some of what processes did is not known: children may have run or ended, and others have mapped
  // more.
  void start_anew();

 private:
  struct Table {
    uint32_t index = 0, rows = 0;
    uint64_t address_of_offset_0 = 0;  // in the file's own addresses
  };
  struct Process {
    bool is_inherited = false;  // there for its parent's sake
    uint32_t threads = 1;       // of an inherited one
  };
  const Table &table_of(const Mapping &mapping, uint32_t pid);
  Status make_table(const Mapping &mapping, uint32_t pid, Table &table);
  Status fill(Table &table, const std::vector<uint64_t> &rows);

  int processes_map_, tables_map_;
  MappedFiles files_;
  std::unordered_map<const MappedFile *, Table> tables_;
  std::unordered_map<uint32_t, Process> processes_;
  std::function<void(const std::string &)> on_problem_;
  uint32_t next_table_ = 0;
  bool has_told_full_ = false;  // of a child for which there is no room
  bool has_told_lost_ = false;  // of children that were dropped
};

}  // namespace awl::runtime
