#include "frontend/headers/compile_bpf.h"

#include <sys/utsname.h>

#include <filesystem>

#include "frontend/headers/clang.h"
#include "frontend/headers/kernel_headers.h"

namespace awl::frontend {
namespace {

constexpr int kCompileLimitS = 60;
constexpr size_t kMostFailures = 5;

}  // namespace

CompiledBpf compile_bpf(const std::string &path, const HeaderOptions &options) {
  const std::string clang = find_clang();
  if (clang.empty())
    return {"", {{"that needs clang, which is not here", {}, std::string(kInstallClang)}}};
  utsname system{};
  ::uname(&system);
  std::vector<std::string> words{clang, "-target", "bpf", "-mcpu=v3", "-g",
                                 "-O2", "-c",      "-w",  "-o",       "-"};
  for (const std::string &folder : options.include_paths) words.insert(words.end(), {"-I", folder});
  // As programs with bpf/bpf_tracing.h want it; and where Debian has asm/types.h.
  words.push_back("-D__TARGET_ARCH_" + kernel_arch(system.machine));
  const std::string own = "/usr/include/" + std::string(system.machine) + "-linux-gnu";
  std::error_code ignored;
  if (std::filesystem::is_directory(own, ignored)) words.insert(words.end(), {"-idirafter", own});
  words.insert(words.end(), {"-fno-color-diagnostics", "-fno-caret-diagnostics", path});
  if (options.on_compile) {
    std::string shown;
    for (const std::string &word : words) shown += (shown.empty() ? "" : " ") + word;
    options.on_compile(shown + "\n");
  }
  Result<HelperOutcome> outcome = run_helper(words, "", kCompileLimitS);
  if (!outcome) return {"", {{outcome.error().message, {}, ""}}};
  if (outcome->exit_code == 0) return {std::move(outcome->output), {}};
  CompiledBpf result;
  for (const ClangMessage &message : parse_clang_messages(outcome->messages)) {
    if (result.failures.size() == kMostFailures) break;
    result.failures.push_back({message.file + ":" + std::to_string(message.line) + ":" +
                                   std::to_string(message.column) + ": " + message.text,
                               {},
                               ""});
  }
  if (result.failures.empty()) {
    const std::string &text = outcome->messages;
    result.failures.push_back({"clang failed: " + text.substr(0, text.find('\n')), {}, ""});
  }
  return result;
}

}  // namespace awl::frontend
