// A program by its name, as a shell finds it.
#pragma once

#include <string>

#include "base/result.h"

namespace awl {

// With a slash the name is a path; else it is looked up in $PATH, each folder of which lies below
// `root`. Entries of $PATH that are no absolute paths are left out: root is not to run by accident
// what lies in the current folder. Errors: there is no file of that name that can be executed.
Result<std::string> find_program(const std::string &name, const std::string &root = "");

}  // namespace awl
