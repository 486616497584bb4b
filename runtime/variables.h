// The variables in an object's .rodata that are set before it is loaded: parameters, process ids,
// addresses of kernel symbols, what the kernel can do, dispatch tables.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "runtime/loader.h"
#include "runtime/needed_types.h"

namespace awl::runtime {

// What the values come from.
struct VariableSources {
  const ObjectFile &file;
  const object::Description &description;
  const Plan &plan;
  const LoadInputs &inputs;
  const TraceIds &trace_ids;
};

// Writes all variables that the object has into its .rodata.
Status set_variables(const VariableSources &sources, uint8_t *rodata, size_t size);

}  // namespace awl::runtime
