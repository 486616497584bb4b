// awl build: a script becomes an object file. Needs neither root nor BPF.

#include "tools/awl/commands.h"
#include "tools/awl/compile_script.h"
#include "tools/common/parse_options.h"
#include "tools/common/read_file.h"

namespace awl::tools {
namespace {

// "dir/opensnoop.bt" becomes "opensnoop.o" in the current directory, as compilers do. Empty: the
// script has no name that tells one.
std::string default_output(const CompileArguments &compile) {
  if (compile.has_program || compile.file == "-") return "";
  std::string name = compile.file.substr(compile.file.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  return (dot == std::string::npos || dot == 0 ? name : name.substr(0, dot)) + ".o";
}

}  // namespace

int command_build(const CommandLine &line) {
  RunArguments arguments;
  CompileArguments compile;
  compile.is_ahead_of_time = true;
  CLI::App app{
      "Compiles a script to a BPF object, which awl-run or any BPF loader runs.\n"
      "Usage: awl build [OPTIONS] FILE|-e PROGRAM [-o OBJECT]"};
  add_compile_options(app, compile);
  app.add_option("-o", arguments.run.output_path,
                 "The object to write; FILE's name with .o when not given (-e needs it)")
      ->option_text("OBJECT");
  app.add_option("-d", arguments.debug_stages,
                 "Show a stage: headers, ast, codegen, codegen-opt, dis")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("STAGE");
  add_mode_options(app, arguments);
  app.add_flag("-k", arguments.run.report_read_errors, "Report failed reads when the object runs");
  app.add_flag("--unsafe", arguments.run.unsafe, "Allow functions with side effects");
  app.add_flag("--no-warnings", arguments.run.no_warnings, "Print no warnings");
  app.add_option("file", compile.file, "The script; - is standard input")->option_text(" ");
  if (const std::optional<int> code = parse_options(app, line)) return *code;
  compile.has_program = app.count("-e") > 0;
  if (!compile.has_program && compile.file.empty())
    return fail("no script given; usage: awl build FILE|-e PROGRAM -o OBJECT");
  if (line.has_separator || (compile.has_program && !compile.file.empty()))
    return fail("parameters are given when the object is run: awl-run OBJECT -- PARAMETERS");
  const std::string output =
      arguments.run.output_path.empty() ? default_output(compile) : arguments.run.output_path;

  const CompileOutcome outcome = compile_script(compile, arguments);
  if (!outcome.object) return outcome.exit_code;
  if (output.empty())
    return fail("-o OBJECT is missing: only a script in a file has a name that tells the object's");
  const Status status = write_object(output, *outcome.object);
  return status ? 0 : fail(status.error().message);
}

}  // namespace awl::tools
