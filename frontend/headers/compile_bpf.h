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

// For the BPF target, optimised, with BTF. Functions are hidden, in the sense of ELF: libbpf then
// verifies them as a part of the programs that call them, and so with what is known of the
// arguments, and not each by itself.
CompiledBpf compile_bpf(const std::string &path, const HeaderOptions &options);

}  // namespace awl::frontend
