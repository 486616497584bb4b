#include "runtime/symbols/process_symbols.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxMapsSize = 64u << 20;
constexpr size_t kMaxJitMapSize = 64u << 20;

// Takes the characters up to `end` off the front.
std::string_view take(std::string_view &text, char end) {
  size_t at = text.find(end);
  std::string_view part = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + 1);
  return part;
}

bool parse_hex(std::string_view text, uint64_t &out) {
  auto result = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

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

// Whether code may be there that no file holds: anonymous memory, or a file in memory alone.
bool is_made_at_run_time(const std::string &path) {
  return path.empty() || path.starts_with("/memfd:") || path.starts_with("/dev/zero");
}

}  // namespace

std::shared_ptr<const ElfSymbols> SymbolFiles::open(const std::string &path,
                                                    const std::string &identity) {
  auto [it, is_new] = files_.try_emplace(identity);
  if (is_new) {
    if (auto file = ElfSymbols::open(path)) it->second = *file;
  }
  return it->second;
}

void ProcessSymbols::read_mappings() {
  Result<std::string> text = read_file(fmt::format("/proc/{}/maps", pid_), kMaxMapsSize);
  if (!text || text->empty()) return;
  std::vector<Mapping> mappings;
  std::string_view rest = *text;
  while (!rest.empty()) {
    // "55d0c0a00000-55d0c0a02000 r-xp 00001000 fe:00 1234      /usr/bin/true"
    std::string_view line = take(rest, '\n');
    Mapping mapping;
    if (!parse_hex(take(line, '-'), mapping.start) || !parse_hex(take(line, ' '), mapping.end)) {
      continue;
    }
    std::string_view permissions = take(line, ' ');
    mapping.is_executable = permissions.size() > 2 && permissions[2] == 'x';
    if (!parse_hex(take(line, ' '), mapping.offset)) continue;
    std::string_view device = take(line, ' ');
    std::string_view inode = take(line, ' ');
    size_t path = line.find('/');
    if (path != line.npos) {
      mapping.path = line.substr(path);
      mapping.identity = fmt::format("{} {} {}", device, inode, mapping.path);
    }
    mappings.push_back(std::move(mapping));
  }
  std::sort(mappings.begin(), mappings.end(),
            [](const Mapping &a, const Mapping &b) { return a.start < b.start; });
  mappings_ = std::move(mappings);
}

void ProcessSymbols::read_files() {
  for (Mapping &mapping : mappings_) {
    if (mapping.is_executable) open_file(mapping);
  }
}

ProcessSymbols::Mapping *ProcessSymbols::find_mapping(uint64_t address) {
  auto after = std::upper_bound(
      mappings_.begin(), mappings_.end(), address,
      [](uint64_t value, const Mapping &mapping) { return value < mapping.start; });
  if (after == mappings_.begin()) return nullptr;
  Mapping &mapping = *std::prev(after);
  return address < mapping.end ? &mapping : nullptr;
}

void ProcessSymbols::open_file(Mapping &mapping) {
  if (mapping.is_opened || mapping.path.empty()) return;
  mapping.is_opened = true;
  // Through the process's own root, which may be a container's; after its end through ours.
  std::string path = fmt::format("/proc/{}/root{}", pid_, mapping.path);
  struct stat info;
  if (stat(path.c_str(), &info) != 0) path = mapping.path;
  mapping.file = files_.open(path, mapping.identity);
}

bool ProcessSymbols::resolve(uint64_t address, Symbol &out) {
  Mapping *mapping = find_mapping(address);
  if (!mapping) {
    // A library may have been loaded since.
    read_mappings();
    mapping = find_mapping(address);
    // That it is not mapped is known only while the process lives.
    if (!mapping) return !has_mappings() && resolve_jit(address, out);
  }
  if (is_made_at_run_time(mapping->path)) return resolve_jit(address, out);
  open_file(*mapping);
  if (!mapping->file) return false;
  out.file_offset = address - mapping->start + mapping->offset;
  out.build_id = mapping->file->build_id();
  auto file_address = mapping->file->address_at(out.file_offset, true);
  if (!file_address) return false;
  const ElfSymbol *symbol = mapping->file->containing(*file_address);
  if (!symbol) return false;
  out.name = symbol->name;
  out.offset = *file_address - symbol->address;
  out.module = mapping->path;
  return true;
}

bool ProcessSymbols::resolve_jit(uint64_t address, Symbol &out) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto after = jit_symbols_.upper_bound(address);
    if (after != jit_symbols_.begin()) {
      const auto &[start, symbol] = *std::prev(after);
      if (address - start < symbol.size) {
        out.name = symbol.name;
        out.offset = address - start;
        out.module = fmt::format("/tmp/perf-{}.map", pid_);
        return true;
      }
    }
    if (attempt == 0) read_jit_map();
  }
  return false;
}

// Anybody may put a file into /tmp: it counts when root or the process' user made it. Not opened
// when it is a link, and read when it is a regular file only.
FileDescriptor ProcessSymbols::open_jit_map() {
  struct stat info {};
  if (stat(fmt::format("/proc/{}", pid_).c_str(), &info) == 0) owner_ = info.st_uid;
  // By its own id, where it has a root or a pid namespace of its own; by ours when it has gone.
  const std::string paths[] = {fmt::format("/proc/{}/root/tmp/perf-{}.map", pid_, own_id(pid_)),
                               fmt::format("/tmp/perf-{}.map", pid_)};
  for (const std::string &path : paths) {
    FileDescriptor fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (info.st_uid != 0 && info.st_uid != owner_.value_or(geteuid())) continue;
    // Compilers append to it; it is read anew when it has grown.
    const auto size = static_cast<uint64_t>(info.st_size);
    if (size == jit_map_size_ || size > kMaxJitMapSize) continue;
    jit_map_size_ = size;
    return fd;
  }
  return {};
}

void ProcessSymbols::read_jit_map() {
  const FileDescriptor fd = open_jit_map();
  if (!fd) return;
  std::string text(jit_map_size_, '\0');
  if (!read_at(fd.get(), 0, text.data(), text.size())) return;
  jit_symbols_.clear();
  std::string_view rest = text;
  while (!rest.empty()) {
    // "7f0012340000 1f0 LazyCompile:~main a.js:1"
    std::string_view line = take(rest, '\n');
    uint64_t start = 0;
    JitSymbol symbol;
    if (!parse_hex(take(line, ' '), start) || !parse_hex(take(line, ' '), symbol.size)) continue;
    symbol.name = line;
    jit_symbols_[start] = std::move(symbol);
  }
}

}  // namespace awl::runtime
