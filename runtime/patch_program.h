// Instructions that depend on the machine, put into the object's bytes before it is loaded.
#pragma once

#include "base/result.h"
#include "runtime/object/description.h"
#include "runtime/object_file.h"
#include "runtime/plan.h"

namespace awl::runtime {

// Makes a program the one that an instance of it is to be. Errors: what the object describes does
// not fit its instructions.
Status patch_program(ObjectFile &file, const object::Program &program, const Instance &instance);

}  // namespace awl::runtime
