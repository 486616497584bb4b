// A compiled script in memory. In a file the description is the ELF's section `.awl`.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/object/description.h"

namespace awl::object {

struct Object {
  std::vector<uint8_t> elf;  // for libbpf
  Description description;
};

}  // namespace awl::object
