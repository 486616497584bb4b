// The loader: from an object's bytes and the plan to programs and maps in the kernel.
//
// What is decided at load time is put in here: parameters, process ids, addresses of kernel
// symbols, sizes of rings, dispatch tables, patched instructions. Instructions are patched in the
// ELF bytes, the rest goes through libbpf. A program that is needed in several copies is loaded
// from the same bytes again, patched differently, with the maps of the first time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/head_start.h"
#include "runtime/object/description.h"
#include "runtime/object_file.h"
#include "runtime/parameters.h"
#include "runtime/plan.h"

struct bpf_object;

namespace awl::runtime {

// What is put into the object's variables besides the plan.
struct LoadInputs {
  std::vector<ParameterValue> parameters;  // per Description::parameters
  uint64_t pid_filter = 0;                 // -p
  uint64_t child_pid = 0;                  // -c
  uint64_t positional_count = 0;
  bool debug_libbpf = false, debug_verifier = false;
  std::shared_ptr<HeadStart> head_start;  // null: made when the object is loaded
};

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

// Loads all instances of the plan. A program that the verifier refuses gives an error with the
// line of the script and the end of the verifier's log. Where it is an attach point that cannot be
// had, its place in the script is put into `refused`.
Result<LoadedObject> load_object(ObjectFile file, const object::Description &description,
                                 const Plan &plan, const LoadInputs &inputs,
                                 object::Location &refused);

}  // namespace awl::runtime
