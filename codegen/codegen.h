// Code generation's one entry: a checked program becomes a BPF ELF object and its description.
#pragma once

#include <cerrno>
#include <functional>
#include <string>

#include "base/result.h"
#include "frontend/checked_program.h"
#include "runtime/object/object.h"

namespace awl::codegen {

// The code of the error when a clause needs more stack than the kernel gives.
inline constexpr int kStackExceeded = E2BIG;

struct Options {
  bool report_read_errors = false;  // -k: failed reads send a record each
  // Keeps as little on the programs' stack as can be, in slower code. generate() sets it for
  // scripts whose programs would need more than there is.
  bool saves_stack = false;
  bool verifies_ir = false;  // by LLVM: what it finds is a mistake of ours, not of the script
  // Receives the object's description while there is still machine code to make. Null: not wanted.
  std::function<void(const object::Description &description)> on_description;
  // Receives the IR as text before and after optimisation. Null: not wanted.
  std::function<void(const std::string &ir)> on_ir;
  std::function<void(const std::string &ir)> on_optimized_ir;
};

// An error is a defect of awl or of LLVM, but for the one with the code
// kStackExceeded: a clause of the script is too much for the kernel.
Result<object::Object> generate(const frontend::CheckedProgram &program, const Options &options);

}  // namespace awl::codegen
