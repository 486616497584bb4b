// What the kernel's verifier said about a program, told in terms of the script.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/object/description.h"

namespace awl::runtime {

// The script's line that the log's last source comment ("; text @ file:line") names; 0: none.
// Kernels before 6.9 give the text alone, which is then looked for in the script.
uint32_t find_script_line(const std::string &log, const std::string &script_text);

// The error for a refused program: the reason, the script's line, the end of the log.
Error explain_verifier_log(const std::string &log, const std::string &program_name, int code,
                           const object::Description &description);

}  // namespace awl::runtime
