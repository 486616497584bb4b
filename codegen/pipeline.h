// LLVM from the module on: the BPF target, the passes for small programs, the object.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"

namespace awl::codegen {

// The BPF target of this machine's byte order, instruction set v3 (Linux 5.10 runs it).
std::unique_ptr<llvm::TargetMachine> make_bpf_target();

// Runs the passes in place.
void optimize(llvm::Module &module, llvm::TargetMachine &machine);

// The ELF object.
Result<std::vector<uint8_t>> emit_object(llvm::Module &module, llvm::TargetMachine &machine);

}  // namespace awl::codegen
