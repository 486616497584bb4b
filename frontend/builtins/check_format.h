// Checks the format string and arguments of printf and its like.
#pragma once

#include "frontend/builtins/check_builtin.h"

namespace awl::frontend {

// `arguments[0]` must be a string literal, the others fit its conversions. Aggregations have
// become integers before. False after a report.
bool check_format(BuiltinContext &context, Arguments &arguments);

}  // namespace awl::frontend
