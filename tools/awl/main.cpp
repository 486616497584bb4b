// awl: compiles tracing scripts to BPF objects and runs them.

#include <string>

#include "tools/awl/commands.h"
#include "tools/common/standard_files.h"

namespace awl::tools {
namespace {

int run(int argc, char **argv) {
  CommandLine line = split_command_line(argc, argv);
  const std::string command = line.options.empty() ? "" : line.options.front();
  const auto without_command = [&line] {
    line.options.erase(line.options.begin());
    return line;
  };
  if (command == "build") return command_build(without_command());
  if (command == "list") return command_list(without_command());
  if (command == "snapshot") return command_snapshot(without_command());
  if (command == "run") return command_run(without_command());
  return command_run(line);
}

}  // namespace
}  // namespace awl::tools

int main(int argc, char **argv) {
  awl::tools::open_standard_files();
  return awl::tools::close_standard_output(awl::tools::run(argc, argv));
}
