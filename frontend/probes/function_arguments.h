// The type of `args` in fentry and fexit: the parameters of a kernel function, as BTF has them.
#pragma once

#include <string>

#include "frontend/target/target.h"
#include "frontend/types/type.h"

namespace awl::frontend {

// A struct with a member for each parameter, called "NAME_args". Its offsets are those in the
// program's context, where each takes a register's worth of eight bytes, as in the kernel's
// trampolines; its size is where the returned value lies. Structs passed by value take as many
// words as they need and are left out when that is more than one.
TypeRef function_arguments(TypeStore &types, const std::string &name,
                           const FunctionSignature &function);

}  // namespace awl::frontend
