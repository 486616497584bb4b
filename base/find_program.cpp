#include "base/find_program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace awl {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// 0, or the errno that says why not.
int why_not_executable(const std::string &path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

}  // namespace

Result<std::string> find_program(const std::string &name, const std::string &root) {
  if (name.find('/') != std::string::npos) {
    if (const int code = why_not_executable(name)) {
      return Error::from_errno("cannot run " + name, code);
    }
    return name;
  }
  const char *variable = std::getenv("PATH");
  const std::string_view folders = variable != nullptr ? variable : kDefaultPath;
  for (size_t begin = 0; begin <= folders.size() && !name.empty();) {
    const size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string_view folder = folders.substr(begin, end - begin);
    begin = end + 1;
    if (!folder.starts_with('/')) continue;
    std::string path = root + std::string(folder) + "/" + name;
    if (why_not_executable(path) == 0) return path;
  }
  return Error{"there is no program " + name + " in $PATH", ENOENT};
}

}  // namespace awl
