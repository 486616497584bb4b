// The type of `args` and of `retval` in user functions, from the binary's debug information.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "frontend/probes/probe.h"
#include "frontend/target/target.h"

namespace awl::frontend {

// A function that an attach point means, with what its program may use by name.
struct UserFunctionArguments {
  std::string symbol;
  TypeRef args = nullptr;  // origin kProbeArguments
  std::vector<UserArgumentPlace> places;
  std::string build_id;
};

// Those of the functions that the attach point's pattern matches on this machine. Errors: which
// function is not described, and why.
Result<std::vector<UserFunctionArguments>> user_function_arguments(TypeStore &types, Target &target,
                                                                   const ProbeSpec &spec);

// Sets the type of `retval` when the debug information of all functions that the attach point
// means agrees on one that is returned in a register; leaves a uint64 else. Of a single function
// says whether it returns something that no program can read.
void set_return_type(Target &target, TypeStore &types, ProbeSpec &spec);

}  // namespace awl::frontend
