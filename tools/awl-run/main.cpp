// awl-run: loads an object that `awl build` wrote, attaches it and prints. No compiler in it.

#include <elf.h>

#include <cstdio>
#include <cstring>

#include "tools/common/parse_options.h"
#include "tools/common/read_file.h"
#include "tools/common/run_options.h"
#include "tools/common/standard_files.h"

namespace awl::tools {
namespace {

// Lists the object's own parameters behind the options.
void print_parameters(const object::Description &description) {
  if (description.parameters.empty()) return;
  printf("\nParameters of %s:\n", description.script_name.c_str());
  for (const object::Parameter &parameter : description.parameters) {
    const std::string name = (parameter.is_positional ? "$" : "--") + parameter.name;
    printf("  %-24s %s\n", name.c_str(), parameter.description.c_str());
  }
}

Result<object::Object> read_object(const std::string &path) {
  Result<std::vector<uint8_t>> bytes = read_file(path);
  if (bytes && (bytes->size() < SELFMAG || memcmp(bytes->data(), ELFMAG, SELFMAG) != 0))
    return Error{path + " is not an object; 'awl build' makes one of a script"};
  return bytes ? runtime::open_object(std::move(*bytes)) : bytes.error();
}

int run_object(const RunArguments &arguments) {
  Result<object::Object> object = read_object(arguments.positionals.front());
  if (!object) return fail(object.error().message);
  Result<int> code = runtime::run(std::move(*object), arguments.run);
  if (!code) return fail(code.error().message);
  return *code;
}

int main(int argc, char **argv) {
  open_standard_files();
  const CommandLine line = split_command_line(argc, argv);
  RunArguments arguments;
  bool wants_list = false, wants_help = false;
  CLI::App app{
      "Runs a BPF object made by `awl build`.\n"
      "Usage: awl-run [OPTIONS] OBJECT [PARAMETERS] [-- PARAMETERS]"};
  app.set_help_flag();
  app.add_flag("-h,--help", wants_help, "Print this help and the object's own parameters");
  app.add_flag("-l", wants_list, "List the probes the object would attach to");
  app.set_version_flag("-V,--version", std::string("awl-run v") + kVersion);
  add_run_options(app, arguments, {"libbpf", "verifier", "all"});
  arguments.run.warn_of_missing_parameters = true;
  if (const std::optional<int> code = parse_options(app, line)) return *code;
  if (wants_help) {
    fputs(app.help().c_str(), stdout);
    if (arguments.positionals.empty()) return 0;
  } else if (arguments.positionals.empty()) {
    return fail("no object given; usage: awl-run [OPTIONS] OBJECT [-- PARAMETERS]");
  }
  add_script_parameters({arguments.positionals.begin() + 1, arguments.positionals.end()},
                        line.parameters, arguments.run);
  arguments.run.debug_libbpf = arguments.wants("libbpf");
  arguments.run.debug_verifier = arguments.wants("verifier");
  if (!wants_help && !wants_list) return run_object(arguments);

  Result<object::Object> object = read_object(arguments.positionals.front());
  if (!object) return fail(object.error().message);
  if (wants_help) {
    print_parameters(object->description);
    return 0;
  }
  Result<std::vector<std::string>> targets =
      runtime::list_targets(std::move(*object), arguments.run);
  if (!targets) return fail(targets.error().message);
  for (const std::string &target : *targets) puts(target.c_str());
  return 0;
}

}  // namespace
}  // namespace awl::tools

int main(int argc, char **argv) {
  return awl::tools::close_standard_output(awl::tools::main(argc, argv));
}
