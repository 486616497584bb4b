#include "tools/common/run_options.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/debug_file.h"
#include "tools/common/parse_options.h"

namespace awl::tools {
namespace {

template <class Enum>
std::pair<std::string, int> word(const char *name, Enum value) {
  return {name, static_cast<int>(value)};
}

// "ERROR" or "WARNING" before a message, coloured on a terminal.
void print_message(const char *label, const char *color, const std::string &message) {
  if (wants_color())
    fprintf(stderr, "\033[%sm%s\033[0m: %s\n", color, label, message.c_str());
  else
    fprintf(stderr, "%s: %s\n", label, message.c_str());
}

}  // namespace

CommandLine split_command_line(int argc, char **argv) {
  CommandLine line;
  for (int i = 1; i < argc; ++i) {
    if (!line.has_separator && std::string_view(argv[i]) == "--")
      line.has_separator = true;
    else
      (line.has_separator ? line.parameters : line.options).push_back(argv[i]);
  }
  return line;
}

bool RunArguments::wants(const std::string &stage) const {
  return std::any_of(debug_stages.begin(), debug_stages.end(),
                     [&](const std::string &given) { return given == stage || given == "all"; });
}

void add_mode_options(CLI::App &app, RunArguments &arguments) {
  using runtime::RunMode;
  runtime::RunOptions &run = arguments.run;
  auto add = [&](const char *name, RunMode mode, const char *description) {
    return app.add_flag_callback(
        name, [&run, mode] { run.mode = mode; }, description);
  };
  CLI::Option *test = add("--test", RunMode::kTest, "Run the script's `test` probes");
  add("--bench", RunMode::kBench, "Measure the script's `bench` probes")->excludes(test);
}

void add_run_options(CLI::App &app, RunArguments &arguments,
                     const std::vector<std::string> &stages) {
  runtime::RunOptions &run = arguments.run;
  add_mode_options(app, arguments);
  app.add_option("-B", run.buffering, "Output buffering: none, line or full")
      ->transform(
          word_of({word("none", runtime::Buffering::kNone), word("line", runtime::Buffering::kLine),
                   word("full", runtime::Buffering::kFull)}))
      ->option_text("MODE");
  CLI::Option *command =
      app.add_option("-c,--cmd", run.command, "Run COMMAND; when it ends, tracing ends")
          ->check([](const std::string &text) {
            return text.find_first_not_of(' ') == text.npos ? "the command is empty" : "";
          })
          ->option_text("COMMAND");
  std::string names;
  for (const std::string &stage : stages) names += (names.empty() ? "" : ", ") + stage;
  app.add_option("-d,--debug", arguments.debug_stages, "Show a stage: " + names)
      ->delimiter(',')
      ->check(one_of(stages))
      ->allow_extra_args(false)
      ->option_text("STAGE");
  app.add_option_function<std::vector<std::string>>(
         "--debuginfo", [](const std::vector<std::string> &folders) { set_debug_folders(folders); },
         "Look for debug information in these folders, too")
      ->delimiter(':')
      ->allow_extra_args(false)
      ->option_text("DIR[:DIR]");
  app.add_option("--dwarf-pid", run.unwound_pids, "Let dw_ustack unwind this process, too")
      ->check(process_id())
      ->allow_extra_args(false)
      ->option_text("PID");
  app.add_flag("--dry-run", run.dry_run, "End right after all probes are attached");
  app.add_option("-f", run.format, "Output format: text or json")
      ->transform(word_of(
          {word("text", runtime::OutputFormat::kText), word("json", runtime::OutputFormat::kJson)}))
      ->option_text("FORMAT");
  app.add_flag("-k,--warnings", run.report_read_errors,
               "Report failed reads of memory and of map elements");
  app.add_option("--no-feature", run.disabled_features, "Do not use these kernel features")
      ->delimiter(',')
      ->check(one_of({"uprobe_multi", "kprobe_multi", "kprobe_session", "uprobe_session"}))
      ->allow_extra_args(false)
      ->option_text("FEATURE,...");
  app.add_flag("--no-warnings", run.no_warnings, "Print no warnings");
  app.add_option("-o,--output", run.output_path, "Write the output to FILE")->option_text("FILE");
  app.add_option("-p,--pid", run.pid, "Trace this process alone")
      ->check(process_id())
      ->excludes(command)
      ->option_text("PID");
  app.add_option("--probe-filter", run.probe_filter,
                 "Attach only probes whose name matches this regular expression")
      ->option_text("REGEX");
  app.add_flag("-q,--quiet", run.quiet, "Keep messages quiet");
  app.add_option("--traceable-functions", run.traceable_functions,
                 "The kernel functions that can be traced, as in available_filter_functions")
      ->check(CLI::ExistingFile)
      ->option_text("FILE");
  app.add_flag("--unsafe", run.unsafe, "Allow functions with side effects, such as system()");
  // Semaphores of static probes are raised by the kernel, in all processes: there is nothing to do.
  app.add_flag_function(
      "--usdt-file-activation", [](int64_t) {}, "Accepted for scripts that pass it; always done");
  app.add_flag("-v,--verbose", run.verbose, "Print more about what is done");
  app.add_option("arguments", arguments.positionals, "FILE and positional parameters")
      ->option_text(" ");
}

void add_script_parameters(const std::vector<std::string> &before,
                           const std::vector<std::string> &after, runtime::RunOptions &run) {
  run.positional.insert(run.positional.end(), before.begin(), before.end());
  for (const std::string &word : after) {
    if (word.size() > 2 && word.compare(0, 2, "--") == 0) {
      const size_t equals = word.find('=');
      std::optional<std::string> value;
      if (equals != std::string::npos) value = word.substr(equals + 1);
      run.named.emplace_back(word.substr(2, equals == std::string::npos ? equals : equals - 2),
                             std::move(value));
    } else {
      run.positional.push_back(word);
    }
  }
}

bool wants_color() {
  const char *setting = environment("COLOR");
  if (setting && std::string_view(setting) == "always") return true;
  if (setting && std::string_view(setting) == "never") return false;
  static bool is_said = false;
  if (setting && std::string_view(setting) != "auto" && !is_said) {
    is_said = true;
    fprintf(stderr,
            "WARNING: the environment variable COLOR can be auto, always or never, not '%s'\n",
            setting);
  }
  return isatty(STDERR_FILENO) && !getenv("NO_COLOR");
}

const char *environment(const std::string &name) {
  if (const char *value = getenv(("AWL_" + name).c_str())) return value;
  return getenv(("BPFTRACE_" + name).c_str());
}

int fail(const std::string &message) {
  print_message("ERROR", "31", message);
  return 1;
}

void warn(const std::string &message) { print_message("WARNING", "33", message); }

}  // namespace awl::tools
