#include "tools/common/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace awl::tools {
namespace {

constexpr size_t kMaxFileSize = 256u << 20;

Result<std::vector<uint8_t>> read_all(int fd, const std::string &path) {
  std::vector<uint8_t> bytes;
  size_t used = 0;
  while (true) {
    if (used == bytes.size()) bytes.resize(used + (64u << 10) + used / 2);
    const ssize_t got = read(fd, bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::from_errno("cannot read " + path);
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > kMaxFileSize) return Error{path + " is larger than 256 MiB", EFBIG};
  }
  bytes.resize(used);
  return bytes;
}

bool write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

Result<std::vector<uint8_t>> read_file(const std::string &path) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error::from_errno("cannot open " + path);
  Result<std::vector<uint8_t>> bytes = read_all(fd, path);
  close(fd);
  return bytes;
}

Status write_file(const std::string &path, const void *data, size_t size) {
  struct stat info;
  // A device such as /dev/stdout is written in place.
  const bool in_place = stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
  const std::string temporary = in_place ? path : path + ".tmp." + std::to_string(getpid());
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return Error::from_errno("cannot write " + path);
  const bool written = write_all(fd, static_cast<const char *>(data), size);
  const int code = errno;
  const bool closed = close(fd) == 0;
  if (!written || !closed || (!in_place && rename(temporary.c_str(), path.c_str()) != 0)) {
    const Error error = Error::from_errno("cannot write " + path, written ? errno : code);
    if (!in_place) unlink(temporary.c_str());
    return error;
  }
  return ok();
}

}  // namespace awl::tools
