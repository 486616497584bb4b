// The name that somebody who mistyped one perhaps meant.
#pragma once

#include <string>
#include <vector>

namespace awl::runtime {

// The candidate with the smallest edit distance to `name`, when it is close enough to be worth
// telling (a third of the name's length); empty: none.
std::string nearest_name(const std::string &name, const std::vector<std::string> &candidates);

}  // namespace awl::runtime
