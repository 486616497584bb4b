#include "runtime/symbols/jit_map.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxSize = 64u << 20;

// The process' id in its own pid namespace, the last in "NSpid:	1234	7".
uint32_t own_id(uint32_t pid) {
  Result<std::string> status = read_file(fmt::format("/proc/{}/status", pid), 1u << 16);
  const size_t line = status ? status->find("\nNSpid:") : std::string::npos;
  if (line == std::string::npos) return pid;
  const size_t end = std::min(status->find('\n', line + 1), status->size());
  const size_t last = status->rfind('\t', end) + 1;
  uint32_t id = pid;
  std::from_chars(status->data() + last, status->data() + end, id);
  return id;
}

// "START SIZE name", both hexadecimal.
bool parse_line(std::string_view line, JitMap::Function &out) {
  if (!parse_digits(take_until(line, ' '), 16, &out.start) ||
      !parse_digits(take_until(line, ' '), 16, &out.size)) {
    return false;
  }
  out.name = line;
  return !line.empty();
}

}  // namespace

std::string JitMap::path() const { return fmt::format("/tmp/perf-{}.map", pid_); }

const JitMap::Function *JitMap::find(uint64_t address) {
  if (const Function *function = find_known(address)) return function;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_read_ <= kMinReadInterval) return nullptr;
  last_read_ = now;
  read();
  return find_known(address);
}

const JitMap::Function *JitMap::find_known(uint64_t address) const {
  auto after = functions_.upper_bound(address);
  if (after == functions_.begin()) return nullptr;
  const Function &function = std::prev(after)->second;
  return address - function.start < function.size ? &function : nullptr;
}

// Anybody may put a file into /tmp: it counts when root or the process' user made it. A link is not
// followed, and what is no regular file not read.
FileDescriptor JitMap::open_file() {
  struct stat info {};
  if (stat(fmt::format("/proc/{}", pid_).c_str(), &info) == 0) owner_ = info.st_uid;
  // By the process' own id and root, which may be a container's; by ours when it has gone.
  const std::string paths[] = {fmt::format("/proc/{}/root/tmp/perf-{}.map", pid_, own_id(pid_)),
                               path()};
  for (const std::string &path : paths) {
    FileDescriptor fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (info.st_uid != 0 && info.st_uid != owner_.value_or(geteuid())) continue;
    const auto size = static_cast<uint64_t>(info.st_size);
    if (size == size_ || size > kMaxSize) continue;
    size_ = size;
    return fd;
  }
  return {};
}

void JitMap::read() {
  const FileDescriptor fd = open_file();
  if (!fd) return;
  std::string text(size_, '\0');
  if (!read_at(fd.get(), 0, text.data(), text.size())) return;
  functions_.clear();
  std::string_view rest = text;
  while (!rest.empty()) {
    Function function;
    if (parse_line(take_until(rest, '\n'), function)) {
      functions_[function.start] = std::move(function);
    }
  }
}

}  // namespace awl::runtime
