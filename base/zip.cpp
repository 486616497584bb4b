#include "base/zip.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/file.h"

namespace awl {
namespace {

constexpr uint32_t kEndSignature = 0x06054b50, kCentralSignature = 0x02014b50,
                   kLocalSignature = 0x04034b50;
constexpr size_t kEndSize = 22, kCentralSize = 46, kLocalSize = 30;
constexpr uint64_t kMaxComment = 0xffff;
constexpr uint64_t kMaxDirectory = 64u << 20;  // bytes of the list of entries
constexpr uint64_t kPageSize = 4096;

template <class T>
T little(const char *at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

Result<std::string> read_directory(int fd, uint64_t size, const std::string &archive) {
  const Error none{archive + " is not a ZIP archive", ENOEXEC};
  if (size < kEndSize) return none;
  std::string tail(std::min<uint64_t>(size, kEndSize + kMaxComment), '\0');
  if (!read_at(fd, size - tail.size(), tail.data(), tail.size())) return none;
  // The last record that looks like one: a comment of any length may follow it.
  for (size_t at = tail.size() - kEndSize + 1; at-- > 0;) {
    const char *record = tail.data() + at;
    if (little<uint32_t>(record) != kEndSignature) continue;
    const uint64_t length = little<uint32_t>(record + 12), offset = little<uint32_t>(record + 16);
    if (length > kMaxDirectory || offset > size || length > size - offset) continue;
    std::string directory(length, '\0');
    if (!read_at(fd, offset, directory.data(), length)) return none;
    return directory;
  }
  return none;
}

}  // namespace

Result<ZipEntry> find_zip_entry(int fd, uint64_t size, const std::string &archive,
                                const std::string &name) {
  Result<std::string> directory = read_directory(fd, size, archive);
  if (!directory) return directory.error();
  const std::string shown = archive + "!/" + name;
  for (size_t at = 0; at + kCentralSize <= directory->size();) {
    const char *record = directory->data() + at;
    if (little<uint32_t>(record) != kCentralSignature) break;
    const size_t name_size = little<uint16_t>(record + 28);
    const size_t next = at + kCentralSize + name_size + little<uint16_t>(record + 30) +
                        little<uint16_t>(record + 32);
    if (next > directory->size()) break;
    if (std::string_view(record + kCentralSize, name_size) != name) {
      at = next;
      continue;
    }
    if (little<uint16_t>(record + 10) != 0) {
      return Error{shown + " is compressed: no program runs from there", ENOEXEC};
    }
    const uint64_t header = little<uint32_t>(record + 42);
    char local[kLocalSize];
    if (header > size || size - header < kLocalSize || !read_at(fd, header, local, kLocalSize) ||
        little<uint32_t>(local) != kLocalSignature) {
      break;
    }
    const ZipEntry entry{
        header + kLocalSize + little<uint16_t>(local + 26) + little<uint16_t>(local + 28),
        little<uint32_t>(record + 24)};
    if (entry.offset > size || entry.size > size - entry.offset) break;
    if (entry.offset % kPageSize != 0) {
      return Error{shown + " does not begin on a page of the archive: no program runs from there",
                   ENOEXEC};
    }
    return entry;
  }
  return Error{"there is no " + name + " in " + archive, ENOENT};
}

}  // namespace awl
