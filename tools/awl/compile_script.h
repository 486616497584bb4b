// From the command line's script to an object: parse and check, lower, with diagnostics on
// stderr and the dumps that were asked for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "frontend/frontend.h"
#include "runtime/object/object.h"
#include "tools/common/run_options.h"

namespace awl::tools {

// What is compiled and how; filled in from the command line.
struct CompileArguments {
  std::string program;  // -e
  bool has_program = false;
  std::string file;        // else a path; "-" is standard input
  std::string snapshot;    // --target: a snapshot instead of this host
  std::string stop_after;  // "", parse, check, codegen
  std::string emit_elf;    // --emit-elf FILE
  std::string emit_llvm;   // --emit-llvm FILE
  bool verifies_ir = false;
  std::vector<std::string> include_paths, includes;
  bool is_ahead_of_time = false;
  // Told what the object will be as soon as that is known. Null: not wanted.
  std::function<void(const object::Description &description)> on_description;
};

// Declares -e, -I, --include, --emit-*, --target, --stop-after.
void add_compile_options(CLI::App &app, CompileArguments &compile);

// The object, or nothing when there is none to run: then `exit_code` tells whether that is an
// error (already printed) or what was asked for (--stop-after).
struct CompileOutcome {
  std::optional<object::Object> object;
  int exit_code = 0;
};
CompileOutcome compile_script(const CompileArguments &compile, const RunArguments &arguments);

// Writes an object as the file that awl-run takes.
Status write_object(const std::string &path, const object::Object &object);

// awl --fmt: the script in its standard form on stdout; gives the exit code.
int print_formatted(const CompileArguments &compile, const RunArguments &arguments);

// The target of the command line: this host, or a snapshot.
Result<std::unique_ptr<frontend::Target>> open_target(const CompileArguments &compile,
                                                      const runtime::RunOptions &run = {});

}  // namespace awl::tools
