#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace awl {

FileDescriptor &FileDescriptor::operator=(FileDescriptor &&other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void FileDescriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<FileDescriptor> open_file(const std::string &path, int flags) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!fd) return Error::from_errno("cannot open " + path);
  return fd;
}

Result<std::string> read_file(const std::string &path, size_t limit) {
  Result<FileDescriptor> fd = open_file(path);
  if (!fd) return fd.error();
  struct stat status {};
  size_t expected = 0;
  if (::fstat(fd->get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    expected = static_cast<size_t>(status.st_size);
  }
  // One byte more than is expected shows the end of the file without another growth.
  std::string content(std::min(std::max<size_t>(expected + 1, 16384), limit + 1), '\0');
  size_t filled = 0;
  while (true) {
    if (filled == content.size()) {
      if (filled > limit) return Error{path + " is larger than expected", EFBIG};
      content.resize(std::min(content.size() * 2, limit + 1));
    }
    const ssize_t got = read_some(fd->get(), content.data() + filled, content.size() - filled);
    if (got < 0) return Error::from_errno("cannot read " + path);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  content.resize(filled);
  return content;
}

ssize_t read_some(int fd, void *out, size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(fd, out, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

bool read_at(int fd, uint64_t offset, void *out, size_t size) {
  auto *to = static_cast<char *>(out);
  while (size > 0) {
    const ssize_t got = ::pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<size_t>(got);
  }
  return true;
}

}  // namespace awl
