// The driver of code generation: every program of the script, then the object.
#include "codegen/codegen.h"
#include "codegen/emitter.h"
#include "codegen/lower.h"

namespace awl::codegen {

Result<std::vector<uint8_t>> generate(const frontend::CheckedProgram &program, const Options &options) {
  Emitter emitter(program, options);
  Lowering lowering(emitter, program);
  for (const frontend::ProgramInfo &info : program.programs) lowering.lower_program(info);
  if (!lowering.unsupported().empty()) {
    return Error{"code generation does not know " + lowering.unsupported().front() + "() yet"};
  }
  return emitter.finish();
}

}  // namespace awl::codegen
