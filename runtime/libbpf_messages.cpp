#include "runtime/libbpf_messages.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <optional>
#include <string_view>

namespace awl::runtime {
namespace {

LibbpfMessages messages;
bool is_printing = false;

// "prog 'name': BPF program load failed: …": the name, of a message that has both words.
std::optional<std::string> name_in(std::string_view text, std::string_view kind,
                                   std::string_view what) {
  const size_t begin = text.find(kind);
  if (begin == text.npos || text.find(what) == text.npos) return std::nullopt;
  const std::string_view rest = text.substr(begin + kind.size());
  return std::string(rest.substr(0, rest.find('\'')));
}

void keep_warning(std::string_view text) {
  // The verifier's log comes through here too; it is told from the log buffer.
  if (text.find("PROG LOAD LOG") != text.npos) return;
  if (auto name = name_in(text, "prog '", "load failed")) messages.refused_program = *name;
  if (auto name = name_in(text, "map '", "failed to create")) messages.refused_map = *name;
  constexpr std::string_view kPrefix = "libbpf: ";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  while (text.ends_with('\n')) text.remove_suffix(1);
  messages.last_warning = text;
}

int take_message(libbpf_print_level level, const char *format, va_list arguments) {
  char text[1024];
  const int length = vsnprintf(text, sizeof text, format, arguments);
  if (is_printing) fputs(text, stderr);
  if (level == LIBBPF_WARN && length > 0) keep_warning(text);
  return length;
}

}  // namespace

void take_libbpf_messages(bool is_printed) {
  is_printing = is_printed;
  libbpf_set_print(take_message);
}

LibbpfMessages &libbpf_messages() { return messages; }

Error libbpf_error(const std::string &what, int code) {
  char text[256] = "";
  libbpf_strerror(code, text, sizeof text);  // knows libbpf's own numbers too
  Error error{what + ": " + text, code};
  if (!messages.last_warning.empty()) error.message += " (" + messages.last_warning + ")";
  return error;
}

}  // namespace awl::runtime
