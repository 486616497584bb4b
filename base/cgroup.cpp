#include "base/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace awl {
namespace {

bool is_cgroup2(const char *path) {
  struct statfs status {};
  return ::statfs(path, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

// "36 25 0:31 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw": the mount point is the
// fifth word, the type the first one behind " - ". (proc_pid_mountinfo(5))
std::string mount_point_of(std::string_view line) {
  const size_t dash = line.find(" - ");
  if (dash == std::string_view::npos || !line.substr(dash + 3).starts_with("cgroup2 ")) return "";
  size_t start = 0;
  for (int word = 0; word < 4; ++word) {
    start = line.find(' ', start);
    if (start == std::string_view::npos) return "";
    ++start;
  }
  return std::string(line.substr(start, line.find(' ', start) - start));
}

}  // namespace

Result<std::string> cgroup2_mount() {
  for (const char *path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (is_cgroup2(path)) return std::string(path);
  }
  const Result<std::string> mounts = read_file("/proc/self/mountinfo", 16u << 20);
  if (!mounts) return mounts.error();
  std::string_view rest = *mounts;
  while (!rest.empty()) {
    const std::string path = mount_point_of(take_until(rest, '\n'));
    if (!path.empty() && is_cgroup2(path.c_str())) return path;
  }
  return Error{"cgroup v2 is not mounted", ENOENT};
}

Result<std::string> cgroup_path(const std::string &path) {
  if (is_cgroup2(path.c_str())) return path;
  const Result<std::string> mount = cgroup2_mount();
  if (!mount) return mount.error();
  const std::string full = *mount + (path.starts_with('/') ? "" : "/") + path;
  if (is_cgroup2(full.c_str())) return full;
  return Error{path + " is no cgroup v2 directory, nor is " + full, ENOENT};
}

Result<uint64_t> cgroup_id(const std::string &path) {
  const Result<std::string> found = cgroup_path(path);
  if (!found) return found.error();
  const std::string &full = *found;
  // cgroupfs exports its directories by a handle that is their id; see kernfs_fh_to_dentry.
  union {
    file_handle handle;
    char space[sizeof(file_handle) + sizeof(uint64_t)];
  } buffer{};
  buffer.handle.handle_bytes = sizeof(uint64_t);
  int mount_id = 0;
  if (::name_to_handle_at(AT_FDCWD, full.c_str(), &buffer.handle, &mount_id, 0) == 0) {
    uint64_t id = 0;
    std::memcpy(&id, buffer.space + sizeof(file_handle), sizeof id);
    return id;
  }
  // Where handles are forbidden (a seccomp filter): on 64-bit machines the inode number is the
  // same number.
  struct stat status {};
  if (::stat(full.c_str(), &status) != 0) return Error::from_errno("cannot look at " + full);
  return static_cast<uint64_t>(status.st_ino);
}

}  // namespace awl
