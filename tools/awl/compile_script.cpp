#include "tools/awl/compile_script.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/process_root.h"
#include "codegen/codegen.h"
#include "codegen/disassemble.h"
#include "codegen/object_writer.h"
#include "frontend/diagnostics/renderer.h"
#include "frontend/parse/format_script.h"
#include "frontend/target/live_target.h"
#include "tools/awl/link_object.h"
#include "tools/common/parse_options.h"
#include "tools/common/read_file.h"

namespace awl::tools {
namespace {

struct Script {
  std::string name, text;
};

Result<Script> load_script(const CompileArguments &compile) {
  if (compile.has_program) return Script{"stdin", compile.program};
  Result<std::vector<uint8_t>> bytes = read_file(compile.file);
  if (!bytes && compile.file.find('{') != std::string::npos)
    return Error{bytes.error().message + "; a program on the command line stands behind -e"};
  if (!bytes) return bytes.error();
  if (bytes->size() > 4 && std::string(bytes->begin(), bytes->begin() + 4) ==
                               "\x7f"
                               "ELF")
    return Error{compile.file + " is an object, not a script: run it with awl-run"};
  std::string text(bytes->begin(), bytes->end());
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return Script{compile.file == "-" ? "stdin" : compile.file, std::move(text)};
}

void print_diagnostics(const frontend::Compilation &compilation, const RunArguments &arguments) {
  frontend::RenderOptions render;
  render.color = wants_color();
  render.show_ids = arguments.wants("diagnostics");
  for (const frontend::Diagnostic &diagnostic : compilation.diagnostics.all()) {
    if (diagnostic.severity == frontend::Severity::kWarning && arguments.run.no_warnings) continue;
    fputs(frontend::render(diagnostic, compilation.sources, render).c_str(), stderr);
  }
}

// Prints a stage's text under its name.
std::function<void(const std::string &)> printer(const char *title) {
  return [title](const std::string &text) { printf("%s\n%s\n", title, text.c_str()); };
}

frontend::Options frontend_options(const CompileArguments &compile, const RunArguments &arguments) {
  frontend::Options options;
  switch (arguments.run.mode) {
    case runtime::RunMode::kTrace:
      break;
    case runtime::RunMode::kTest:
      options.mode = frontend::Mode::kTest;
      break;
    case runtime::RunMode::kBench:
      options.mode = frontend::Mode::kBench;
      break;
  }
  options.allow_unsafe = arguments.run.unsafe;
  options.is_ahead_of_time = compile.is_ahead_of_time;
  options.has_command = !arguments.run.command.empty();
  options.pid = arguments.run.pid;
  options.include_paths = compile.include_paths;
  options.includes = compile.includes;
  options.parameters = arguments.run.positional;
  // The names come with their prefix, AWL_ or BPFTRACE_.
  options.environment = [](const std::string &name) { return getenv(name.c_str()); };
  if (arguments.wants("headers")) options.on_compile = printer("C compiler");
  const bool all = arguments.wants("ast");
  const bool parsed = arguments.wants("parse"), typed = arguments.wants("types");
  if (all || parsed || typed) {
    options.after_pass = [=](const std::string &pass, const frontend::ast::Program &program) {
      if (!all && !(parsed && pass == "parse") && !(typed && pass == "check_types")) return;
      printf("AST after: %s\n%s\n", pass.c_str(), frontend::dump(program).c_str());
    };
  }
  return options;
}

// The LLVM IR as text, before and after optimization.
struct Ir {
  std::string original, optimized;
};

codegen::Options codegen_options(const CompileArguments &compile, const RunArguments &arguments,
                                 Ir &ir) {
  codegen::Options options;
  options.verifies_ir = compile.verifies_ir;
  options.report_read_errors = arguments.run.report_read_errors;
  options.on_description = compile.on_description;
  const bool is_kept = !compile.emit_llvm.empty();
  const auto taker = [is_kept](bool is_printed, const char *title, std::string &kept) {
    std::function<void(const std::string &)> take;
    if (!is_printed && !is_kept) return take;
    return take = [=, &kept](const std::string &text) {
      if (is_printed) printer(title)(text);
      kept = text;
    };
  };
  options.on_ir = taker(arguments.wants("codegen"), "LLVM IR before optimization", ir.original);
  options.on_optimized_ir =
      taker(arguments.wants("codegen-opt"), "LLVM IR after optimization", ir.optimized);
  return options;
}

// Writes the files that --emit-elf and --emit-llvm name.
Status emit_files(const CompileArguments &compile, const object::Object &object, const Ir &ir) {
  if (!compile.emit_llvm.empty()) {
    const std::string &name = compile.emit_llvm;
    Status status = write_file(name + ".original.ll", ir.original.data(), ir.original.size());
    if (status)
      status = write_file(name + ".optimized.ll", ir.optimized.data(), ir.optimized.size());
    if (!status) return status;
  }
  return compile.emit_elf.empty() ? ok() : write_object(compile.emit_elf, object);
}

CompileOutcome failure(const std::string &message) { return {std::nullopt, fail(message)}; }

CompileOutcome lower(const frontend::Compilation &compilation, const CompileArguments &compile,
                     const RunArguments &arguments) {
  Ir ir;
  Result<object::Object> object =
      codegen::generate(compilation.checked, codegen_options(compile, arguments, ir));
  if (!object) {
    const bool is_defect = object.error().code != codegen::kStackExceeded;
    return failure(
        (is_defect ? "internal: " : (compile.has_program ? "stdin" : compile.file) + ": ") +
        object.error().message);
  }
  const std::vector<frontend::ImportedObject> &imported = compilation.checked.objects;
  if (!imported.empty()) {
    Result<std::vector<uint8_t>> linked = link_objects(object->elf, imported);
    if (!linked) return failure(linked.error().message);
    object->elf = std::move(*linked);
  }
  if (arguments.wants("dis")) {
    Result<std::string> text = codegen::disassemble(object->elf);
    if (!text) return failure(text.error().message);
    fputs(text->c_str(), stdout);
  }
  if (Status status = emit_files(compile, *object, ir); !status)
    return failure(status.error().message);
  if (compile.stop_after == "codegen" || !compile.emit_elf.empty() || !compile.emit_llvm.empty())
    return {};
  return {std::move(*object), 0};
}

}  // namespace

void add_compile_options(CLI::App &app, CompileArguments &compile) {
  app.add_option("-e", compile.program,
                 "The program itself instead of a file; of several, the last")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->option_text("PROGRAM");
  app.add_option("-I", compile.include_paths, "Search DIR for C headers")
      ->allow_extra_args(false)
      ->option_text("DIR");
  app.add_option("--include", compile.includes, "As if #include <FILE> stood first in the script")
      ->allow_extra_args(false)
      ->option_text("FILE");
  app.add_option("--emit-elf", compile.emit_elf, "Write the object to FILE and end")
      ->option_text("FILE");
  app.add_option("--emit-llvm", compile.emit_llvm,
                 "Write the LLVM IR to FILE.original.ll and FILE.optimized.ll and end")
      ->option_text("FILE");
  app.add_flag("--verify-llvm-ir", compile.verifies_ir,
               "Let LLVM check the code that is generated");
  app.add_option("--target", compile.snapshot, "Compile for the machine a snapshot was taken of")
      ->option_text("SNAPSHOT");
  app.add_option("--stop-after", compile.stop_after, "End after a phase: parse, check, codegen")
      ->check(one_of({"parse", "check", "codegen"}))
      ->option_text("PHASE");
}

Result<std::unique_ptr<frontend::Target>> open_target(const CompileArguments &compile,
                                                      const runtime::RunOptions &run) {
  if (compile.snapshot.empty()) {
    return frontend::make_live_target(run.pid ? process_root(*run.pid) : "",
                                      run.traceable_functions);
  }
  return frontend::load_snapshot_target(compile.snapshot);
}

Status write_object(const std::string &path, const object::Object &object) {
  Result<std::vector<uint8_t>> bytes = codegen::object_file(object);
  return bytes ? write_file(path, bytes->data(), bytes->size()) : bytes.error();
}

int print_formatted(const CompileArguments &compile, const RunArguments &arguments) {
  Result<Script> script = load_script(compile);
  if (!script) return fail(script.error().message);
  frontend::Compilation compilation;
  std::optional<std::string> formatted =
      frontend::format_script(compilation, script->name, script->text);
  print_diagnostics(compilation, arguments);
  if (!formatted) return 1;
  fputs(formatted->c_str(), stdout);
  return 0;
}

CompileOutcome compile_script(const CompileArguments &compile, const RunArguments &arguments) {
  Result<Script> script = load_script(compile);
  if (!script) return failure(script.error().message);
  frontend::Compilation compilation;

  if (compile.stop_after == "parse") {
    const frontend::ast::Program *program =
        frontend::parse(compilation, script->name, script->text);
    print_diagnostics(compilation, arguments);
    if (program && arguments.wants("ast")) fputs(frontend::dump(*program).c_str(), stdout);
    return {std::nullopt, program ? 0 : 1};
  }

  Result<std::unique_ptr<frontend::Target>> target = open_target(compile, arguments.run);
  if (!target) return failure(target.error().message);
  const bool is_right = frontend::compile(compilation, script->name, script->text, **target,
                                          frontend_options(compile, arguments));
  print_diagnostics(compilation, arguments);
  if (!is_right) return {std::nullopt, 1};
  if (arguments.run.verbose)
    fprintf(stderr, "AST node count: %zu\n", compilation.context.node_count());
  if (compile.stop_after == "check") return {};
  return lower(compilation, compile, arguments);
}

}  // namespace awl::tools
