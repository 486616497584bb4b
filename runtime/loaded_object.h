// What the loader has put into the kernel: programs and maps, as long as this lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"

struct bpf_object;

namespace awl::runtime {

struct BpfObjectCloser {
  void operator()(bpf_object *object) const;
};
using BpfObject = std::unique_ptr<bpf_object, BpfObjectCloser>;

class LoadedObject {
 public:
  // The loaded program of an instance; -1: none, as the kernel did not let it be tied to its
  // target.
  int program(size_t program, size_t instance) const;
  // How often the kernel did not run a program because another run of it was under way on the CPU:
  // one count for each of the description's programs, 0 for those that share another's (5.12; all 0
  // before).
  std::vector<uint64_t> missed_runs() const;
  // A map's descriptor by its ELF name; -1: none.
  int map(const std::string &elf_name) const;
  uint32_t map_entries(const std::string &elf_name) const;  // 0: no such map

 private:
  friend class Loader;
  std::vector<BpfObject> objects_;          // the first holds the maps
  std::vector<std::vector<int>> programs_;  // per program and instance
  std::vector<FileDescriptor> copies_;      // of programs in objects_
};

}  // namespace awl::runtime
