#include "runtime/symbols/mappings.h"

#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/process_maps.h"

namespace awl::runtime {
namespace {

constexpr std::string_view kVdso = "[vdso]";

// The kernel maps the same small library into every process; ours is as good as any. A copy in
// memory, which lasts until the descriptor is closed.
FileDescriptor copy_vdso() {
  const uint64_t start = getauxval(AT_SYSINFO_EHDR);
  if (start == 0) return {};
  MappedFiles files;
  const Mappings mappings =
      Mappings::parse(read_process_maps(static_cast<uint32_t>(getpid())), files);
  const Mapping *mapping = mappings.find(start);
  FileDescriptor copy(memfd_create("awl_vdso", MFD_CLOEXEC));
  if (mapping == nullptr || !copy) return {};
  const size_t size = mapping->end - start;
  const auto *image = reinterpret_cast<const void *>(start);  // as the kernel has told us
  if (write(copy.get(), image, size) != static_cast<ssize_t>(size)) return {};
  return copy;
}

std::string path_of(const FileDescriptor &fd) { return fmt::format("/proc/self/fd/{}", fd.get()); }

enum class Sameness {
  kNone,
  kInode,   // as far as known: the mapping may have none
  kDevice,  // and the inode
};

// Whether the file at a path is the one that was mapped. Some filesystems tell of their files with
// other devices than of their mappings (btrfs).
Sameness compare(const std::string &path, const MappedFile &file) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return Sameness::kNone;
  if (file.inode == 0) return Sameness::kInode;
  if (info.st_ino != file.inode) return Sameness::kNone;
  return info.st_dev == makedev(file.major, file.minor) ? Sameness::kDevice : Sameness::kInode;
}

// What `open` makes of the file behind a mapping, or of a copy of what is mapped from none. The
// process may end at any moment and its folder in /proc with it, between looking at a file there
// and opening it: what its root shows, ours may show for longer.
template <class Open>
auto open_mapped(const Mapping &mapping, uint32_t pid, const Open &open) {
  const MappedFile &file = *mapping.file;
  if (file.path == kVdso) return open(path_of(copy_vdso()));
  const std::string process = fmt::format("/proc/{}", pid);
  const std::pair<std::string, Sameness> ways[] = {
      {file.path, Sameness::kDevice},
      {process + "/root" + file.path, Sameness::kInode},
      // Deleted or replaced meanwhile: the process still holds it.
      {fmt::format("{}/map_files/{:x}-{:x}", process, mapping.start, mapping.end),
       Sameness::kInode},
      {file.path, Sameness::kInode},
      // Without an inode any file would do.
      {process + "/exe", file.inode != 0 ? Sameness::kInode : Sameness::kDevice}};
  for (const auto &[path, wanted] : ways) {
    if (compare(path, file) < wanted) continue;
    if (auto result = open(path)) return result;
  }
  return decltype(open(""))(Error{"the file is gone", ENOENT});
}

}  // namespace

bool is_made_at_run_time(const Mapping &mapping) {
  return mapping.file == nullptr || mapping.file->path.starts_with("/memfd:") ||
         mapping.file->path.starts_with("/dev/zero");
}

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
    it->second->major = major;
    it->second->minor = minor;
  }
  return it->second.get();
}

const ElfSymbols *MappedFiles::open(const Mapping &mapping, uint32_t pid) {
  MappedFile &file = *mapping.file;
  if (file.symbols || file.failed_for == pid) return file.symbols.get();
  if (auto symbols = open_mapped(mapping, pid, ElfSymbols::open)) file.symbols = *symbols;
  if (!file.symbols) file.failed_for = pid;
  return file.symbols.get();
}

void MappedFiles::forget_symbols() {
  for (const auto &[key, file] : files_) {
    if (!file->is_kept) file->symbols.reset();
  }
}

Result<ElfFile> MappedFiles::open_elf(const Mapping &mapping, uint32_t pid) {
  return open_mapped(mapping, pid, ElfFile::open);
}

Mappings Mappings::parse(std::string_view text, MappedFiles &files) {
  Mappings result;
  visit_executable_maps(text, [&](const ProcessMap &map) {
    MappedFile *file = files.find(map.path, map.major, map.minor, map.inode);
    result.insert({map.start, map.end, map.offset, file});
  });
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
