#include "base/debuginfod.h"

#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/elf_file.h"
#include "base/find_program.h"
#include "base/helper_program.h"

namespace awl {
namespace {

constexpr int kFetchLimitS = 60;

Result<std::string> fetch(const std::string &build_id) {
  const Result<std::string> program = find_program("debuginfod-find");
  if (!program) return program.error();
  std::fprintf(stderr, "asking debuginfod servers for the debug information of build %s\n",
               build_id.c_str());
  const Result<HelperOutcome> outcome =
      run_helper({*program, "debuginfo", build_id}, "", kFetchLimitS);
  if (!outcome) return outcome.error();
  if (outcome->exit_code != 0) {
    std::string text = outcome->messages.substr(0, outcome->messages.find('\n'));
    if (text.empty()) text = "it ended with status " + std::to_string(outcome->exit_code);
    return Error{"debuginfod-find: " + text, ENOENT};
  }
  const std::string path = outcome->output.substr(0, outcome->output.find('\n'));
  const Result<ElfFile> file = ElfFile::open(path);
  if (!file) return file.error();
  if (file->build_id() != build_id) {
    return Error{"debuginfod-find has told " + path + ", which belongs to another build", ENOENT};
  }
  return path;
}

}  // namespace

Result<std::string> fetch_debug_file(const std::string &build_id) {
  static std::map<std::string, Result<std::string>> known;
  const char *servers = std::getenv("DEBUGINFOD_URLS");
  if (servers == nullptr || *servers == '\0' || build_id.empty()) return std::string();
  const auto found = known.find(build_id);
  if (found != known.end()) return found->second;
  return known.emplace(build_id, fetch(build_id)).first->second;
}

}  // namespace awl
