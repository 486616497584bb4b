// The bare names in a tree: what a C header may have to explain.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "frontend/frontend.h"

namespace awl::frontend {

struct UsedNames {
  std::set<std::string> values;                    // `AF_INET`
  std::set<std::pair<std::string, size_t>> calls;  // `f(x, y)`: the name, the number of arguments
  std::set<std::pair<ast::TypeSpec::Base, std::string>> types;  // `struct foo`, `foo_t`
  std::set<std::string> words;    // in the bodies of #defines, as text
  std::set<std::string> defined;  // by the script: macros, parameters, C part
};

UsedNames collect_used_names(ast::Program &program);

}  // namespace awl::frontend
