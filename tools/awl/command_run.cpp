// awl run (the default): compile in memory, then load and run the object that `awl build` would
// write.

#include <fmt/ranges.h>
#include <sys/stat.h>

#include <cstdio>

#include "runtime/head_start.h"
#include "tools/awl/commands.h"
#include "tools/awl/compile_script.h"
#include "tools/common/parse_options.h"

namespace awl::tools {
namespace {

constexpr const char *kDescription =
    "Traces the kernel and applications with small programs in bpftrace's language.\n"
    "Usage: awl [OPTIONS] FILE [PARAMETERS] [-- PARAMETERS]\n"
    "       awl [OPTIONS] -e PROGRAM [PARAMETERS] [-- PARAMETERS]\n"
    "       awl build FILE|-e PROGRAM -o OBJECT   compile ahead of time, to run with awl-run\n"
    "       awl list [-v] [PATTERN]               list probes";

constexpr const char *kExamples =
    "\nExamples:\n"
    "  awl -e 'tracepoint:syscalls:sys_enter_openat { @[comm] = count() }'\n"
    "      count opens by process name until Ctrl-C\n"
    "  awl -e 'profile:hz:99 { @[kstack] = count() }' -c './server'\n"
    "      sample kernel stacks while a command runs\n"
    "  awl -l 'tracepoint:sched:*'\n"
    "      list probes\n";

// Options that only make sense before a script runs.
struct Modes {
  bool list = false, info = false, help = false, format = false;
};

bool is_file(const std::string &path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// Takes the script's file off the positional words; what remains are its parameters.
bool take_script(CompileArguments &compile, std::vector<std::string> &words) {
  if (compile.has_program) return true;
  if (words.empty()) return false;
  compile.file = words.front();
  words.erase(words.begin());
  return true;
}

// Whether a word behind -l is meant as a script's name: no pattern has a slash before a colon.
bool looks_like_file(const std::string &word) {
  const size_t colon = word.find(':');
  return word.find('/') < colon || (colon == std::string::npos && word.ends_with(".bt"));
}

int list_script(const CompileArguments &compile, const RunArguments &arguments) {
  CompileOutcome outcome = compile_script(compile, arguments);
  if (!outcome.object) return outcome.exit_code;
  Result<std::vector<std::string>> targets =
      runtime::list_targets(std::move(*outcome.object), arguments.run);
  if (!targets) return fail(targets.error().message);
  for (const std::string &target : *targets) puts(target.c_str());
  return 0;
}

int run_script(CompileArguments &compile, RunArguments &arguments) {
  // A compilation that ends before anything runs touches nothing here.
  if (compile.stop_after.empty() && compile.emit_elf.empty() && compile.emit_llvm.empty()) {
    compile.on_description = [&arguments](const object::Description &description) {
      arguments.run.head_start = runtime::HeadStart::start(description);
    };
  }
  CompileOutcome outcome = compile_script(compile, arguments);
  if (!outcome.object) return outcome.exit_code;
  Result<int> code = runtime::run(std::move(*outcome.object), arguments.run);
  return code ? *code : fail(code.error().message);
}

// The parameters that a script reads with getopt, behind the options of awl itself.
int print_script_help(const CompileArguments &compile, const RunArguments &arguments) {
  const CompileOutcome outcome = compile_script(compile, arguments);
  if (!outcome.object) return outcome.exit_code;
  const std::vector<object::Parameter> &parameters = outcome.object->description.parameters;
  if (!parameters.empty()) printf("\nParameters of the script:\n");
  for (const object::Parameter &parameter : parameters)
    printf("  %s%-22s %s\n", parameter.is_positional ? "$" : "--", parameter.name.c_str(),
           parameter.description.c_str());
  return 0;
}

// The peer's long way to say it, and `codegen`, which ends when there is an object.
void add_mode_option(CLI::App &app, Modes &modes, CompileArguments &compile,
                     RunArguments &arguments) {
  app.add_option_function<std::string>(
         "--mode",
         [&](const std::string &mode) {
           if (mode == "test") arguments.run.mode = runtime::RunMode::kTest;
           if (mode == "bench") arguments.run.mode = runtime::RunMode::kBench;
           if (mode == "format") modes.format = true;
           if (mode == "codegen") compile.stop_after = mode;
         },
         "As --test, --bench, --fmt, or to compile and end: test, bench, format, codegen")
      ->check(one_of({"test", "bench", "format", "codegen"}))
      ->option_text("MODE");
}

}  // namespace

int command_run(const CommandLine &line) {
  RunArguments arguments;
  CompileArguments compile;
  Modes modes;
  CLI::App app{kDescription};
  app.set_help_flag();
  app.footer(kExamples);
  app.add_flag("-h,--help", modes.help, "Print this help, and the parameters of a script");
  app.add_flag("-l,--list", modes.list,
               "List the probes that match a pattern, or those of a script");
  app.add_flag("--info", modes.info, "Print what the kernel and this build can do");
  app.add_flag("--fmt", modes.format, "Print the script in its standard form");
  add_mode_option(app, modes, compile, arguments);
  app.set_version_flag("-V,--version", std::string("awl v") + kVersion);
  add_compile_options(app, compile);
  add_run_options(app, arguments,
                  {"headers", "parse", "types", "ast", "codegen", "codegen-opt", "dis", "libbpf",
                   "verifier", "diagnostics", "all"});
  if (const std::optional<int> code = parse_options(app, line)) return *code;
  compile.has_program = app.count("-e") > 0;
  std::vector<std::string> &words = arguments.positionals;

  if (modes.info) return print_info();
  if (modes.help) fputs(app.help("awl").c_str(), stdout);
  if (modes.list && !words.empty() && looks_like_file(words.front()) && !is_file(words.front())) {
    return fail("there is no file " + words.front());
  }
  if (modes.list && !compile.has_program && (words.empty() || !is_file(words.front()))) {
    if (words.size() > 1)
      return fail("-l lists one pattern, or several with commas between: " +
                  fmt::format("{}", fmt::join(words, ",")));
    return list_probes(words.empty() ? "" : words.front(), arguments.run.verbose, compile.snapshot,
                       arguments.run);
  }
  if (!take_script(compile, words)) {
    if (modes.help) return 0;
    return fail(
        "no script given; usage: awl [OPTIONS] FILE, or awl [OPTIONS] -e PROGRAM "
        "(awl --help tells more)");
  }
  if (modes.format) return print_formatted(compile, arguments);
  add_script_parameters(words, line.parameters, arguments.run);
  arguments.run.debug_libbpf = arguments.wants("libbpf");
  arguments.run.debug_verifier = arguments.wants("verifier");
  // What happens at a run is not told where none is wanted.
  arguments.run.no_warnings |= modes.help || modes.list;
  if (modes.help) return print_script_help(compile, arguments);
  if (modes.list) return list_script(compile, arguments);
  return run_script(compile, arguments);
}

}  // namespace awl::tools
