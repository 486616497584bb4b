// Pass merge_config: one Config from the defaults, the script's config block and the environment.
//
// The environment (AWL_MAX_STRLEN, else BPFTRACE_MAX_STRLEN) beats the script, which beats the
// defaults. Which variables there are, what values they take and which names are old ones is one
// table in merge_config.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frontend/checked_program.h"
#include "frontend/diagnostics/diagnostic.h"

namespace awl::frontend {

// `environment` is as in Options, and may be null.
Config merge_config(const ast::Program &program,
                    const std::function<const char *(const std::string &)> &environment,
                    Diagnostics &diagnostics);

// Names of all configuration variables, sorted (documentation, completion).
std::vector<std::string> config_variable_names();

}  // namespace awl::frontend
