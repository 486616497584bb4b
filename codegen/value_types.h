// The frontend's types as the object's description states them.
#pragma once

#include "frontend/types/type.h"
#include "runtime/object/value_type.h"

namespace awl::codegen {

object::ValueType value_type(frontend::TypeRef type, frontend::TypeStore &types);

}  // namespace awl::codegen
