// Checks the format string and arguments of printf and its like.
#pragma once

#include "frontend/builtins/check_builtin.h"

namespace awl::frontend {

// `arguments[0]` must be a string literal, the others fit its conversions. Aggregations have
// become integers before. False after a report.
// In a pinned iterator the kernel does the formatting, which has fewer conversions.
bool check_format(BuiltinContext &context, Arguments &arguments);

// The same where the kernel formats at most `most` values: integers and text, without precision.
bool check_kernel_format(BuiltinContext &context, Arguments &arguments, size_t most);

// What printf would print, for arguments that check_format has taken and that are all known now;
// null after a report.
std::optional<std::string> format_literals(BuiltinContext &context, Arguments &arguments);

}  // namespace awl::frontend
