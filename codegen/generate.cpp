// The driver of code generation: every program of the script, then the object.
#include "codegen/codegen.h"
#include "codegen/emitter.h"
#include "codegen/lower.h"
#include "codegen/pipeline.h"
#include "frontend/types/type_names.h"

namespace awl::codegen {

namespace {

object::Settings describe(const frontend::Config &config) {
  object::Settings settings;
  settings.perf_rb_pages = config.perf_rb_pages;
  settings.max_cat_bytes = config.max_cat_bytes;
  settings.max_probes = config.max_probes;
  settings.log_size = config.log_size;
  settings.str_trunc_trailer = config.str_trunc_trailer;
  settings.missing_probes = config.missing_probes;
  settings.cache_user_symbols = config.cache_user_symbols;
  settings.stack_mode = frontend::stack_mode_name(config.stack_mode);
  settings.print_maps_on_exit = config.print_maps_on_exit;
  settings.cpp_demangle = config.cpp_demangle;
  settings.lazy_symbolication = config.lazy_symbolication;
  settings.show_debug_info = config.show_debug_info;
  return settings;
}

object::Parameter describe(const frontend::ParameterInfo &info) {
  object::Parameter parameter;
  parameter.name = info.name;
  parameter.is_positional = info.is_positional;
  switch (info.kind) {
    case frontend::ParameterInfo::Kind::kInteger:
      parameter.kind = object::ParameterKind::kInteger;
      break;
    case frontend::ParameterInfo::Kind::kString:
      parameter.kind = object::ParameterKind::kString;
      break;
    case frontend::ParameterInfo::Kind::kBool:
      parameter.kind = object::ParameterKind::kBool;
      break;
    case frontend::ParameterInfo::Kind::kPrinted:
      parameter.kind = object::ParameterKind::kPrinted;
      break;
  }
  parameter.default_integer = info.default_integer;
  parameter.default_string = info.default_string;
  parameter.description = info.description;
  return parameter;
}

// What the description says of the script as a whole.
void describe_script(Emitter &emitter, const frontend::CheckedProgram &program) {
  object::Description &description = emitter.description();
  const frontend::Source &script = program.sources->source(0);
  description.script_name = script.name();
  description.script_text = script.text();
  description.settings = describe(program.config);
  for (const frontend::ParameterInfo &info : program.parameters)
    description.parameters.push_back(describe(info));
}

Result<object::Object> generate_once(const frontend::CheckedProgram &program,
                                     const Options &options) {
  Emitter emitter(program, options);
  describe_script(emitter, program);
  Lowering lowering(emitter, program);
  for (const frontend::ProgramInfo &info : program.programs) lowering.lower_program(info);
  // The caller of a group takes of the stack, too.
  if (!options.saves_stack) lowering.group_syscall_programs();
  if (!lowering.unsupported().empty()) {
    return Error{"code generation does not know " + lowering.unsupported().front() + "() yet"};
  }
  return emitter.finish();
}

}  // namespace

Result<object::Object> generate(const frontend::CheckedProgram &program, const Options &options) {
  Result<object::Object> object = generate_once(program, options);
  if (object || object.error().code != kStackExceeded) return object;
  // What registers cannot hold goes to the stack, and only LLVM knows how much that is.
  Options sparing = options;
  sparing.saves_stack = true;
  sparing.on_description = nullptr;  // it has been told
  object = generate_once(program, sparing);
  if (object || object.error().code != kStackExceeded) return object;
  return Error{"a clause needs more than the 512 bytes of stack that the kernel gives: split it",
               kStackExceeded};
}

}  // namespace awl::codegen
