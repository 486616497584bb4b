#include "base/process_maps.h"

#include "base/file.h"
#include "base/text.h"

namespace awl {
namespace {

constexpr size_t kMaxMapsSize = 64u << 20;

// "55d0c0a00000-55d0c0a02000 r-xp 00001000 fe:00 1234      /usr/bin/true"; false: not executable.
bool parse_line(std::string_view line, ProcessMap &out) {
  if (!parse_digits(take_until(line, '-'), 16, &out.start) ||
      !parse_digits(take_until(line, ' '), 16, &out.end)) {
    return false;
  }
  const std::string_view permissions = take_until(line, ' ');
  if (permissions.size() < 3 || permissions[2] != 'x' || out.end <= out.start) return false;
  if (!parse_digits(take_until(line, ' '), 16, &out.offset) ||
      !parse_digits(take_until(line, ':'), 16, &out.major) ||
      !parse_digits(take_until(line, ' '), 16, &out.minor) ||
      !parse_digits(take_until(line, ' '), 10, &out.inode)) {
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
    if (parse_line(take_until(text, '\n'), map)) visit(map);
  }
}

}  // namespace awl
