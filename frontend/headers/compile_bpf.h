// A `.bpf.c` file that a script imports: clang makes an object of it.
#pragma once

#include <string>
#include <vector>

#include "frontend/headers/read_headers.h"

namespace awl::frontend {

struct CompiledBpf {
  std::string object;                   // an ELF file; empty after a failure
  std::vector<HeaderFailure> failures;  // their `line` is not set
};

// For the BPF target, optimised, with BTF.
CompiledBpf compile_bpf(const std::string &path, const HeaderOptions &options);

}  // namespace awl::frontend
