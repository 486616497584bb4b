// Fills the maps that dw_ustack unwinds by: the tables of files and the mappings of processes
// (runtime/object/unwind.h). A file is read once, whoever maps it.
#pragma once

#include <cstdint>
#include <set>
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
  // Takes what a process has mapped by now. Files without rules are left out.
  Status add_process(uint32_t pid);
  bool has_process(uint32_t pid) const { return processes_.contains(pid); }

 private:
  struct Table {
    uint32_t index = 0, rows = 0;
    uint64_t address_of_offset_0 = 0;  // in the file's own addresses
  };
  Table &table_of(const Mapping &mapping, uint32_t pid);
  bool fill(Table &table, const std::vector<uint64_t> &rows);

  int processes_map_, tables_map_;
  MappedFiles files_;
  std::unordered_map<const MappedFile *, Table> tables_;
  std::set<uint32_t> processes_;
  uint32_t next_table_ = 0;
};

}  // namespace awl::runtime
