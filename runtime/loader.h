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
#include "runtime/loaded_object.h"
#include "runtime/object/description.h"
#include "runtime/object_file.h"
#include "runtime/parameters.h"
#include "runtime/plan.h"

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

// Loads all instances of the plan. A program that the verifier refuses gives an error with the
// line of the script and the end of the verifier's log. Where it is an attach point that cannot be
// had, its place in the script is put into `refused`.
Result<LoadedObject> load_object(ObjectFile file, const object::Description &description,
                                 const Plan &plan, const LoadInputs &inputs,
                                 object::Location &refused);

}  // namespace awl::runtime
