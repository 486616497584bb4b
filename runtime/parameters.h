// A script's parameters, given on the command line: `$1`… and `--name=value` for getopt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/object/description.h"
#include "runtime/tracer.h"

namespace awl::runtime {

// The value of Description::parameters[i], to be put into .rodata.
struct ParameterValue {
  bool is_string = false;
  int64_t integer = 0;  // numbers and, as 0 or 1, truth values
  std::string text;
};

// "$2" and its like: positional parameters that the script uses and that were not given.
std::vector<std::string> missing_parameters(const object::Description &description,
                                            const RunOptions &options);

// One value per parameter, defaults where none was given. Fails for a name the script does not
// have, a number that is none and a text that is too long, saying what is known or allowed.
Result<std::vector<ParameterValue>> bind_parameters(const object::Description &description,
                                                    const RunOptions &options);

// Puts the values of `$1`, `$2`, … into attach points, where an object keeps them as they were
// written ("uprobe:$1:main"). Fails for one that was not given.
Status fill_in_attach_points(object::Description &description,
                             const std::vector<std::string> &positional);

}  // namespace awl::runtime
