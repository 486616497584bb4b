#include "runtime/verifier_log.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "runtime/kernel_limits.h"

namespace awl::runtime {
namespace {

constexpr size_t kShownLines = 25;

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) lines.push_back(take_until(text, '\n'));
  return lines;
}

// "; text @ stdin:3" → 3.
uint32_t line_in_comment(std::string_view comment) {
  const size_t at = comment.rfind(" @ "), colon = comment.rfind(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon < at) return 0;
  uint32_t line = 0;
  for (char c : comment.substr(colon + 1)) {
    if (c < '0' || c > '9' || line > 100000000) return 0;
    line = line * 10 + static_cast<uint32_t>(c - '0');
  }
  return line;
}

bool is_statistics(std::string_view line) {
  for (const char *start : {"processed ", "verification time", "stack depth", "max_states"}) {
    if (line.substr(0, std::string_view(start).size()) == start) return true;
  }
  return line.empty();
}

// Limits of the verifier itself: it follows a million instructions (BPF_COMPLEXITY_LIMIT_INSNS) and
// 8,192 branches that wait (BPF_COMPLEXITY_LIMIT_JMP_SEQ), and must see where a loop ends.
std::string find_limit(const std::string &log) {
  struct Limit {
    const char *words, *text;
  };
  constexpr Limit kLimits[] = {
      {"jumps is too complex",
       "a loop has more rounds, or the clause more branches, than the kernel follows"},
      {"BPF program is too large",
       "a loop has more rounds, or the clause more instructions, than "
       "the kernel follows"},
      {"infinite loop detected", "the kernel does not see where a loop ends"},
  };
  for (const Limit &limit : kLimits) {
    if (log.find(limit.words) == std::string::npos) continue;
    return std::string(limit.text) +
           ". `for ($i : 0..$n)` takes any number of rounds from Linux 5.17 on; a long clause can "
           "be "
           "split into several";
  }
  return {};
}

}  // namespace

uint32_t find_script_line(const std::string &log, const std::string &script_text) {
  const std::vector<std::string_view> lines = split_lines(log);
  const std::vector<std::string_view> script = split_lines(script_text);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line->substr(0, 2) != "; ") continue;
    const uint32_t number = line_in_comment(*line);
    if (number != 0 && number <= script.size()) return number;
    const std::string_view wanted = trim(line->substr(2));
    for (size_t i = 0; i < script.size(); ++i) {
      if (!wanted.empty() && trim(script[i]) == wanted) return static_cast<uint32_t>(i + 1);
    }
  }
  return 0;
}

Error explain_verifier_log(const std::string &log, const std::string &program_name, int code,
                           const object::Description &description) {
  std::vector<std::string_view> lines = split_lines(log);
  while (!lines.empty() && is_statistics(lines.back())) lines.pop_back();
  std::string text = "the kernel refused the program " + program_name;
  for (const object::Program &program : description.programs) {
    if (program.name == program_name && program.attach_points.size() == 1) {
      text = "the kernel refused the program of " + program.attach_points.front().name;
    }
  }
  if (lines.empty()) return Error::from_errno(text, code);
  std::string reason = find_missing_feature(log);
  if (reason.empty()) reason = find_limit(log);
  text += ": " + (reason.empty() ? std::string(trim(lines.back())) : reason);
  const uint32_t line = find_script_line(log, description.script_text);
  if (line != 0) {
    const std::vector<std::string_view> script = split_lines(description.script_text);
    text += "\n" + description.script_name + ":" + std::to_string(line) + ": " +
            std::string(script[line - 1]);
  }
  text += "\nThe end of the verifier's log (all of it: -d verifier):";
  const size_t first = lines.size() > kShownLines ? lines.size() - kShownLines : 0;
  for (size_t i = first; i < lines.size(); ++i) text += "\n  " + std::string(lines[i]);
  return {text, code};
}

}  // namespace awl::runtime
