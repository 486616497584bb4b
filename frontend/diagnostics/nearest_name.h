// "Did you mean …": the known name that is closest to a wrong one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace awl::frontend {

// The candidate with the smallest edit distance to `name`, empty when none is near enough to be
// meant: at most a third of the letters may differ. The first of equals wins.
std::string nearest_name(std::string_view name, const std::vector<std::string> &candidates);

}  // namespace awl::frontend
