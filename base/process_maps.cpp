#include "base/process_maps.h"

#include <charconv>

#include "base/file.h"

namespace awl {
namespace {

constexpr size_t kMaxMapsSize = 64u << 20;

// Takes the characters up to `end` off the front.
std::string_view take(std::string_view &text, char end) {
  const size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + 1);
  return part;
}

template <class T>
bool parse_number(std::string_view text, int base, T &out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

// "55d0c0a00000-55d0c0a02000 r-xp 00001000 fe:00 1234      /usr/bin/true"; false: not executable.
bool parse_line(std::string_view line, ProcessMap &out) {
  if (!parse_number(take(line, '-'), 16, out.start) ||
      !parse_number(take(line, ' '), 16, out.end)) {
    return false;
  }
  const std::string_view permissions = take(line, ' ');
  if (permissions.size() < 3 || permissions[2] != 'x' || out.end <= out.start) return false;
  if (!parse_number(take(line, ' '), 16, out.offset) ||
      !parse_number(take(line, ':'), 16, out.major) ||
      !parse_number(take(line, ' '), 16, out.minor) ||
      !parse_number(take(line, ' '), 10, out.inode)) {
    return false;
  }
  const size_t path = line.find_first_not_of(' ');
  if (path != line.npos) out.path = line.substr(path);
  return true;
}

}  // namespace

std::string read_process_maps(uint32_t pid) {
  Result<std::string> text = read_file("/proc/" + std::to_string(pid) + "/maps", kMaxMapsSize);
  return text ? std::move(*text) : "";
}

void visit_executable_maps(std::string_view text,
                           const std::function<void(const ProcessMap &)> &visit) {
  while (!text.empty()) {
    ProcessMap map;
    if (parse_line(take(text, '\n'), map)) visit(map);
  }
}

}  // namespace awl
