#include "base/library_path.h"

#include <elf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "base/find_program.h"

namespace awl {
namespace {

constexpr size_t kMaxCacheSize = 64u << 20;

// The layout of glibc's ld.so.cache since 2.2; see ldconfig(8) and `struct cache_file_new` in
// glibc's dl-cache.h. Offsets of strings count from the header's start.
constexpr std::string_view kNewMagic = "glibc-ld.so.cache1.1";
constexpr std::string_view kOldMagic = "ld.so-1.7.0";
struct CacheHeader {
  char magic[20];
  uint32_t count;
  uint32_t strings_size;
  uint8_t flags, padding[3];
  uint32_t extension_offset;
  uint32_t unused[3];
};
static_assert(sizeof(CacheHeader) == 48);
struct CacheEntry {
  int32_t flags;
  uint32_t key, value;
  uint32_t os_version;
  uint64_t capabilities;
};
static_assert(sizeof(CacheEntry) == 24);
// The old format, which may stand in front: 12 bytes of magic, a count, entries of 12 bytes.
constexpr size_t kOldHeaderSize = 16, kOldEntrySize = 12;

// FLAG_ELF_LIBC6, and which ABI it is for.
constexpr int32_t kLibc6 = 3;
#if defined(__x86_64__)
constexpr int32_t kNativeFlags = kLibc6 | 0x0300;
constexpr uint16_t kNativeMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int32_t kNativeFlags = kLibc6 | 0x0a00;
constexpr uint16_t kNativeMachine = EM_AARCH64;
#elif defined(__s390x__)
constexpr int32_t kNativeFlags = kLibc6 | 0x0400;
constexpr uint16_t kNativeMachine = EM_S390;
#elif defined(__powerpc64__)
constexpr int32_t kNativeFlags = kLibc6 | 0x0500;
constexpr uint16_t kNativeMachine = EM_PPC64;
#else
constexpr int32_t kNativeFlags = kLibc6;
constexpr uint16_t kNativeMachine = EM_NONE;
#endif

constexpr const char *kStandardFolders[] = {
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/usr/lib",
};

std::optional<std::string> string_at(std::string_view data, uint64_t offset) {
  if (offset >= data.size()) return std::nullopt;
  const size_t end = data.find('\0', offset);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(data.substr(offset, end - offset));
}

bool is_regular_file(const std::string &path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_native_library(const std::string &path) {
  if (!is_regular_file(path)) return false;
  const Result<FileDescriptor> fd = open_file(path);
  Elf64_Ehdr header{};
  return fd && read_at(fd->get(), 0, &header, sizeof header) &&
         std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == kNativeMachine;
}

// How well a library's name answers what was asked for: 0 not at all, 3 exactly.
int match_library(const std::string &library, const std::string &asked) {
  if (library == asked) return 3;
  const auto is_versioned = [&library](const std::string &stem) {
    return library.starts_with(stem) &&
           (library.size() == stem.size() || library[stem.size()] == '.');
  };
  if (asked.ends_with(".so") || asked.find(".so.") != std::string::npos) {
    return is_versioned(asked) ? 2 : 0;
  }
  if (is_versioned(asked + ".so")) return 2;
  return is_versioned("lib" + asked + ".so") ? 1 : 0;
}

// Compares "libx.so.10" and "libx.so.9" by their numbers.
bool is_newer(const std::string &a, const std::string &b) {
  return ::strverscmp(a.c_str(), b.c_str()) > 0;
}

// The best library of those in ld.so.cache.
std::string find_in_cache(const std::string &name, const std::string &root) {
  const Result<std::string> cache = read_file(root + "/etc/ld.so.cache", kMaxCacheSize);
  if (!cache) return "";
  std::string best_name, best_path;
  int best = 0;
  for (const LibraryCacheEntry &entry : parse_library_cache(*cache)) {
    const int rank = match_library(entry.name, name);
    if (rank == 0 || rank < best) continue;
    // The first of equal names is the one that the loader takes.
    if (rank == best && !is_newer(entry.name, best_name)) continue;
    if (!is_native_library(root + entry.path)) continue;
    best = rank;
    best_name = entry.name;
    best_path = root + entry.path;
  }
  return best_path;
}

std::string find_in_standard_folders(const std::string &name, const std::string &root) {
  const bool is_file_name = name.find(".so") != std::string::npos;
  const std::vector<std::string> candidates =
      is_file_name ? std::vector{name} : std::vector{name + ".so", "lib" + name + ".so"};
  for (const char *folder : kStandardFolders) {
    for (const std::string &candidate : candidates) {
      const std::string path = root + folder + "/" + candidate;
      if (is_native_library(path)) return path;
    }
    // Without a name that ends in ".so" (it belongs to the development package): any version.
    for (int version = 9; version >= 0; --version) {
      for (const std::string &candidate : candidates) {
        const std::string path = root + folder + "/" + candidate + "." + std::to_string(version);
        if (is_native_library(path)) return path;
      }
    }
  }
  return "";
}

std::string find_library(const std::string &name, const std::string &root) {
  const std::string path = find_in_cache(name, root);
  return path.empty() ? find_in_standard_folders(name, root) : path;
}

}  // namespace

std::vector<LibraryCacheEntry> parse_library_cache(const std::string &content) {
  std::string_view data = content;
  if (data.starts_with(kOldMagic) && data.size() >= kOldHeaderSize) {
    uint32_t count = 0;
    std::memcpy(&count, data.data() + kOldHeaderSize - sizeof count, sizeof count);
    const uint64_t end = kOldHeaderSize + uint64_t{count} * kOldEntrySize;
    const uint64_t aligned = (end + 7) & ~uint64_t{7};
    data = aligned < data.size() ? data.substr(aligned) : std::string_view();
  }
  std::vector<LibraryCacheEntry> entries;
  CacheHeader header{};
  if (!data.starts_with(kNewMagic) || data.size() < sizeof header) return entries;
  std::memcpy(&header, data.data(), sizeof header);
  const uint64_t available = (data.size() - sizeof header) / sizeof(CacheEntry);
  const uint64_t count = std::min<uint64_t>(header.count, available);
  for (uint64_t i = 0; i < count; ++i) {
    CacheEntry entry{};
    std::memcpy(&entry, data.data() + sizeof header + i * sizeof entry, sizeof entry);
    if (entry.flags != kNativeFlags) continue;
    std::optional<std::string> name = string_at(data, entry.key);
    std::optional<std::string> path = string_at(data, entry.value);
    if (name && path) entries.push_back({std::move(*name), std::move(*path)});
  }
  return entries;
}

Result<std::string> find_binary(const std::string &name, const std::string &root) {
  if (name.empty()) return Error{"the name of a binary is empty", ENOENT};
  if (name.find('/') != std::string::npos) {
    const std::string path = name.front() == '/' ? root + name : name;
    // A library in an archive is named "ARCHIVE!/ENTRY".
    if (is_regular_file(path.substr(0, path.find("!/")))) return path;
    return Error{path + " does not exist or is no regular file", ENOENT};
  }
  const bool is_library_name = name.find(".so") != std::string::npos;
  std::string library = is_library_name ? find_library(name, root) : "";
  if (!library.empty()) return library;
  if (Result<std::string> program = find_program(name, root)) return program;
  if (!is_library_name) library = find_library(name, root);
  if (!library.empty()) return library;
  return Error{"no program or library " + name + " in $PATH, " + root +
                   "/etc/ld.so.cache or the standard library folders",
               ENOENT};
}

}  // namespace awl
