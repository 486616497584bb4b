#include "runtime/symbols/mappings.h"

#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"

namespace awl::runtime {
namespace {

constexpr std::string_view kVdso = "[vdso]";
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
bool parse_line(std::string_view line, MappedFiles &files, Mapping &out) {
  uint32_t major = 0, minor = 0;
  uint64_t inode = 0;
  if (!parse_number(take(line, '-'), 16, out.start) ||
      !parse_number(take(line, ' '), 16, out.end)) {
    return false;
  }
  const std::string_view permissions = take(line, ' ');
  if (permissions.size() < 3 || permissions[2] != 'x' || out.end <= out.start) return false;
  if (!parse_number(take(line, ' '), 16, out.offset) || !parse_number(take(line, ':'), 16, major) ||
      !parse_number(take(line, ' '), 16, minor) || !parse_number(take(line, ' '), 10, inode)) {
    return false;
  }
  const size_t path = line.find_first_not_of(' ');
  if (path != line.npos) out.file = files.find(line.substr(path), major, minor, inode);
  return true;
}

// The kernel maps the same small library into every process; ours is as good as any. A copy in
// memory, which lasts until the descriptor is closed.
FileDescriptor copy_vdso() {
  const uint64_t start = getauxval(AT_SYSINFO_EHDR);
  Result<std::string> maps = read_file("/proc/self/maps", kMaxMapsSize);
  if (start == 0 || !maps) return {};
  MappedFiles files;
  const Mappings mappings = Mappings::parse(*maps, files);
  const Mapping *mapping = mappings.find(start);
  FileDescriptor copy(memfd_create("awl_vdso", MFD_CLOEXEC));
  if (mapping == nullptr || !copy) return {};
  const size_t size = mapping->end - start;
  const auto *image = reinterpret_cast<const void *>(start);  // as the kernel has told us
  if (write(copy.get(), image, size) != static_cast<ssize_t>(size)) return {};
  return copy;
}

std::string path_of(const FileDescriptor &fd) { return fmt::format("/proc/self/fd/{}", fd.get()); }

// Whether the file at a path is the one that was mapped.
bool is_same_file(const std::string &path, uint64_t inode) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && (inode == 0 || info.st_ino == inode);
}

std::string find_file(const Mapping &mapping, uint32_t pid) {
  const MappedFile &file = *mapping.file;
  std::string path = fmt::format("/proc/{}/root{}", pid, file.path);
  if (is_same_file(path, file.inode)) return path;
  // Deleted or replaced meanwhile: the process still holds it.
  path = fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.start, mapping.end);
  if (is_same_file(path, file.inode)) return path;
  return is_same_file(file.path, file.inode) ? file.path : "";
}

}  // namespace

MappedFile *MappedFiles::find(std::string_view path, uint32_t major, uint32_t minor,
                              uint64_t inode) {
  const bool is_path = path.starts_with('/') && !path.starts_with("//");
  if (!is_path && path != kVdso) return nullptr;
  auto [it, is_new] =
      files_.try_emplace(fmt::format("{:x}:{:x} {} {}", major, minor, inode, path), nullptr);
  if (is_new) {
    it->second = std::make_unique<MappedFile>();
    it->second->path = path;
    it->second->inode = inode;
  }
  return it->second.get();
}

const ElfSymbols *MappedFiles::open(const Mapping &mapping, uint32_t pid) {
  MappedFile &file = *mapping.file;
  if (file.symbols || file.failed_for == pid) return file.symbols.get();
  const FileDescriptor vdso = file.path == kVdso ? copy_vdso() : FileDescriptor();
  const std::string path = vdso ? path_of(vdso) : find_file(mapping, pid);
  if (auto symbols = ElfSymbols::open(path)) file.symbols = *symbols;
  if (!file.symbols) file.failed_for = pid;
  return file.symbols.get();
}

void MappedFiles::forget_symbols() {
  for (const auto &[key, file] : files_) file->symbols.reset();
}

Result<ElfFile> MappedFiles::open_elf(const Mapping &mapping, uint32_t pid) {
  const FileDescriptor vdso = mapping.file->path == kVdso ? copy_vdso() : FileDescriptor();
  return ElfFile::open(vdso ? path_of(vdso) : find_file(mapping, pid));
}

Mappings Mappings::parse(std::string_view text, MappedFiles &files) {
  Mappings result;
  while (!text.empty()) {
    Mapping mapping;
    if (parse_line(take(text, '\n'), files, mapping)) result.insert(mapping);
  }
  return result;
}

const Mapping *Mappings::find(uint64_t address) const {
  auto after = std::upper_bound(
      mappings_.begin(), mappings_.end(), address,
      [](uint64_t value, const Mapping &mapping) { return value < mapping.start; });
  if (after == mappings_.begin()) return nullptr;
  const Mapping &mapping = *std::prev(after);
  return address < mapping.end ? &mapping : nullptr;
}

void Mappings::insert(const Mapping &mapping) {
  if (mappings_.empty() || mappings_.back().end <= mapping.start) {
    mappings_.push_back(mapping);
    return;
  }
  std::vector<Mapping> result;
  result.reserve(mappings_.size() + 2);
  bool is_placed = false;
  for (const Mapping &old : mappings_) {
    if (old.start < mapping.start) {
      result.push_back(old);
      result.back().end = std::min(old.end, mapping.start);
    }
    if (!is_placed && old.end > mapping.start) {
      result.push_back(mapping);
      is_placed = true;
    }
    if (old.end > mapping.end) {
      result.push_back(old);
      const uint64_t start = std::max(old.start, mapping.end);
      result.back().offset += start - old.start;
      result.back().start = start;
    }
  }
  if (!is_placed) result.push_back(mapping);
  mappings_ = std::move(result);
}

}  // namespace awl::runtime
