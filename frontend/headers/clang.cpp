#include "frontend/headers/clang.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/find_program.h"

namespace awl::frontend {
namespace {

constexpr int kNewestClang = 24, kOldestClang = 11;
constexpr int kVersionLimitS = 5;
constexpr std::string_view kInput = "<stdin>";

bool take_number(std::string_view *text, uint32_t *out) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (error != std::errc() || end == text->data()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

// "FILE:LINE" and a ':' after it; false when the text is not so.
bool take_place(std::string_view *text, std::string *file, uint32_t *line) {
  for (size_t colon = text->find(':'); colon != std::string_view::npos;
       colon = text->find(':', colon + 1)) {
    std::string_view rest = text->substr(colon + 1);
    if (colon == 0 || !take_number(&rest, line) || !rest.starts_with(":")) continue;
    *file = text->substr(0, colon);
    *text = rest.substr(1);
    return true;
  }
  return false;
}

}  // namespace

std::string find_clang() {
  const char *chosen = std::getenv("AWL_CLANG");
  const bool is_chosen = chosen != nullptr && *chosen != '\0';
  Result<std::string> path = find_program(is_chosen ? chosen : "clang");
  for (int version = kNewestClang; !path && !is_chosen && version >= kOldestClang; --version) {
    path = find_program("clang-" + std::to_string(version));
  }
  return path ? *path : "";
}

std::string clang_version(const std::string &clang) {
  Result<HelperOutcome> outcome = run_helper({clang, "--version"}, "", kVersionLimitS);
  if (!outcome) return outcome.error().message;
  return outcome->output.substr(0, outcome->output.find('\n'));
}

std::vector<ClangMessage> parse_clang_messages(std::string_view text) {
  constexpr std::string_view kFrom = "In file included from ";
  std::vector<ClangMessage> messages;
  uint32_t input_line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ClangMessage message;
    const bool is_way = line.starts_with(kFrom);
    if (is_way) line.remove_prefix(kFrom.size());
    if (!take_place(&line, &message.file, &message.line)) continue;
    if (message.file == kInput) input_line = message.line;
    if (is_way) continue;
    if (take_number(&line, &message.column) && line.starts_with(":")) line.remove_prefix(1);
    for (std::string_view kind : {" error: ", " fatal error: "}) {
      if (!line.starts_with(kind)) continue;
      message.text = line.substr(kind.size());
      message.input_line = input_line;
      messages.push_back(message);
    }
    input_line = 0;
  }
  return messages;
}

}  // namespace awl::frontend
