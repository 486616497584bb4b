#include "runtime/print/pcap_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/print/format_printer.h"

namespace awl::runtime {
namespace {

constexpr uint32_t kMagicNanoseconds = 0xa1b23c4d, kLinkRaw = 101, kSnapLength = 262144;
constexpr uint64_t kNanoseconds = 1'000'000'000;

struct FileHeader {
  uint32_t magic = kMagicNanoseconds;
  uint16_t major = 2, minor = 4;
  uint32_t reserved[2] = {};
  uint32_t snap_length = kSnapLength, link_type = kLinkRaw;
};

struct PacketHeader {
  uint32_t seconds, nanoseconds, captured, original;
};

// Whether a file is new, or holds packets already: nothing else is overwritten.
bool may_be_written(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return true;
  uint32_t magic = 0;
  constexpr uint32_t kMagic = 0xa1b2c3d4;
  return read_at(fd, 0, &magic, sizeof magic) && (magic == kMagic || magic == kMagicNanoseconds);
}

}  // namespace

Result<FileDescriptor> PcapWriter::open(const std::string &path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return Error::from_errno("cannot open " + path);
  if (!may_be_written(file.get())) {
    return Error{path + " is there, and is no file of packets (pcap): it is left alone", EEXIST};
  }
  const FileHeader header;
  if (ftruncate(file.get(), 0) != 0 && errno != EINVAL) {
    return Error::from_errno("cannot empty " + path);
  }
  if (::write(file.get(), &header, sizeof header) != static_cast<ssize_t>(sizeof header)) {
    return Error::from_errno("cannot write to " + path);
  }
  return file;
}

Status PcapWriter::write(const object::Event &event, const uint8_t *record,
                         int64_t realtime_offset_ns) {
  const auto [entry, is_new] = files_.try_emplace(event.format);
  if (is_new) {
    Result<FileDescriptor> file = open(event.format);
    if (!file) return file.error();
    entry->second = std::move(*file);
  }
  if (!entry->second) return ok();
  const auto number = [&](size_t index) {
    return static_cast<uint64_t>(load_field(event.arguments[index], record));
  };
  const uint64_t time = number(0) + static_cast<uint64_t>(realtime_offset_ns);
  const uint32_t data = event.arguments[2].offset + 4;
  const uint32_t captured =
      std::min<uint32_t>(static_cast<uint32_t>(number(1)), event.size - std::min(data, event.size));
  PacketHeader header{static_cast<uint32_t>(time / kNanoseconds),
                      static_cast<uint32_t>(time % kNanoseconds), captured,
                      std::max(captured, static_cast<uint32_t>(number(2)))};
  const iovec parts[] = {{&header, sizeof header},
                         {const_cast<uint8_t *>(record + data), captured}};
  const ssize_t size = static_cast<ssize_t>(sizeof header + captured);
  if (writev(entry->second.get(), parts, 2) == size) return ok();
  entry->second.reset();
  return Error::from_errno("cannot write to " + event.format);
}

}  // namespace awl::runtime
