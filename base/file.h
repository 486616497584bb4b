// Files read whole or in parts, with a bound on how much.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"

namespace awl {

// A file descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor &operator=(FileDescriptor &&other) noexcept;
  ~FileDescriptor() { reset(); }

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// Opens for reading, close-on-exec; `flags` are further ones of open(2).
Result<FileDescriptor> open_file(const std::string &path, int flags = 0);

// All of a file, which may be one of /proc or sysfs whose size is not known before it is read.
// A file larger than `limit` bytes is an error.
Result<std::string> read_file(const std::string &path, size_t limit = 256u << 20);

// Up to `size` bytes from where the file stands; 0 at its end, below 0 on failure.
ssize_t read_some(int fd, void *out, size_t size);

// Exactly `size` bytes at an offset; false when the file ends before or cannot be read.
bool read_at(int fd, uint64_t offset, void *out, size_t size);

}  // namespace awl
