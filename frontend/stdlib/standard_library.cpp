#include "frontend/stdlib/standard_library.h"

#include <algorithm>

namespace awl::frontend {

const StandardName *find_standard_name(std::string_view name) {
  std::span<const StandardName> names = standard_names();
  auto found = std::lower_bound(
      names.begin(), names.end(), name,
      [](const StandardName &entry, std::string_view wanted) { return entry.name < wanted; });
  return found != names.end() && found->name == name ? &*found : nullptr;
}

}  // namespace awl::frontend
