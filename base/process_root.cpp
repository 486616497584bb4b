#include "base/process_root.h"

#include <sys/stat.h>

namespace awl {

std::string process_root(int pid) {
  const std::string process = "/proc/" + std::to_string(pid), root = process + "/root";
  struct stat ours {
  }, theirs{};
  const auto is_same = [&](const char *own, const std::string &other) {
    return stat(own, &ours) != 0 || stat(other.c_str(), &theirs) != 0 ||
           (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev);
  };
  if (is_same("/proc/self/ns/mnt", process + "/ns/mnt") && is_same("/", root + "/")) return {};
  return root;
}

}  // namespace awl
