// The plan: what each program gets attached to on this machine, and as how many copies it is
// loaded for that.
//
// Every target gets a number, its probe id. A program with several targets is loaded once and
// told by the attach cookie which one fired, unless it does not ask, or the kernel or the family
// has no cookies: then there is a copy (an instance) per target. Targets for which instructions
// must be patched differently (a field at another offset) never share an instance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/attach/family.h"
#include "runtime/object/description.h"
#include "runtime/print/value_printer.h"
#include "runtime/tracer.h"

namespace awl::runtime {

// "Ask for the attach cookie", as a program's probe id.
inline constexpr uint32_t kProbeIdFromCookie = ~0u;

// A program as it gets loaded once.
struct Instance {
  std::vector<Target> targets;   // at least one; all attached by the same kind of link
  uint32_t probe_id = 0;         // what kProbeId relocations are patched with
  std::vector<int32_t> patches;  // parallel to Program::relocations; probe ids included
  bool is_copy = false;          // the code of the instance before, tied to another function
  // Of those that share a hook which takes one program: the index in object::kNextProgramsMap, and
  // whether another one hands over to it.
  int32_t chain_index = -1;
  bool is_called_by_other = false;
};

// Something wrong with an attach point: told with the place in the script.
struct Problem {
  std::string text;
  object::Location location;
  bool is_warning = false;
};

struct Plan {
  std::vector<const Family *> families;          // per Description::programs
  std::vector<std::vector<Instance>> instances;  // likewise; none: the program is not loaded
  std::vector<ProbeTarget> names;                // by probe id
  int32_t chained = 0;                           // instances with a chain_index
  std::vector<Problem> problems;                 // any that is no warning: do not run

  bool has_errors() const;
};

// Expands everything. Errors are those that leave nothing to say about single attach points.
Result<Plan> make_plan(const object::Description &description, const RunOptions &options,
                       AttachContext &context);

}  // namespace awl::runtime
