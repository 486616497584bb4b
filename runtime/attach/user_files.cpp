#include "runtime/attach/user_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/folder.h"
#include "base/library_path.h"
#include "base/mapped_files.h"
#include "base/pattern.h"

namespace awl::runtime {
namespace {

// What the process of -p runs, or the command of -c will.
Result<std::vector<std::string>> program_file(const AttachContext &context) {
  if (context.command.empty() && context.pid) {
    char path[PATH_MAX] = "";
    const std::string link = "/proc/" + std::to_string(*context.pid) + "/exe";
    if (readlink(link.c_str(), path, sizeof path - 1) <= 0) {
      return Error::from_errno("cannot read " + link);
    }
    return std::vector<std::string>{path};
  }
  if (context.command.empty()) {
    return Error{"it names no binary, and there is no process of -p or -c"};
  }
  Result<std::string> path = find_binary(context.command, "");
  if (!path) return path.error();
  return std::vector<std::string>{*path};
}

constexpr size_t kMaxMatchingFiles = 10000;

// Files whose path matches a pattern, folder by folder, sorted.
void match_paths(const std::string &folder, const std::string &pattern,
                 std::vector<std::string> &found) {
  const size_t slash = pattern.find('/');
  const std::string head = pattern.substr(0, slash);
  const std::string tail = slash == std::string::npos ? "" : pattern.substr(slash + 1);
  if (!has_wildcard(head)) {
    const std::string path = folder + head;
    struct stat info;
    if (slash != std::string::npos) return match_paths(path + "/", tail, found);
    if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) found.push_back(path);
    return;
  }
  for (const std::string &name : names_in_folder(folder.empty() ? "." : folder)) {
    if (!matches_pattern(head, name)) continue;
    if (found.size() >= kMaxMatchingFiles) return;
    const std::string path = folder + name;
    struct stat info;
    if (slash != std::string::npos) {
      match_paths(path + "/", tail, found);
    } else if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      found.push_back(path);
    }
  }
}

}  // namespace

Result<std::vector<std::string>> find_user_files(const AttachContext &context,
                                                 const object::AttachPoint &point) {
  if (point.binary.empty()) return program_file(context);
  if (point.binary == "*") return context.pid ? mapped_files(*context.pid) : files_in_use();
  if (has_wildcard(point.binary)) {
    std::vector<std::string> files;
    match_paths("", context.binary_root + point.binary, files);
    for (std::string &file : files) file.erase(0, context.binary_root.size());
    return files;
  }
  Result<std::string> path = find_binary(point.binary, context.binary_root);
  if (!path && point.binary.find(".so") != std::string::npos) {
    // Compiled on a machine that has its libraries elsewhere.
    Result<std::string> moved =
        find_binary(point.binary.substr(point.binary.rfind('/') + 1), context.binary_root);
    if (moved) path = std::move(moved);
  }
  if (!path) return path.error();
  // A relative path is found as it is, without the root.
  if (path->compare(0, context.binary_root.size(), context.binary_root) != 0)
    return std::vector<std::string>{*path};
  return std::vector<std::string>{path->substr(context.binary_root.size())};
}

Result<Expansion> expand_user_files(
    const AttachContext &context, const object::AttachPoint &point,
    const std::function<Status(const std::string &path, Expansion &)> &expand) {
  Expansion expansion;
  const std::string missing = "No matches for " + point.name;
  Result<std::vector<std::string>> files = find_user_files(context, point);
  if (!files) {
    expansion.missing = missing + ": " + files.error().message;
    return expansion;
  }
  for (const std::string &path : *files) {
    Status status = expand(path, expansion);
    if (!status && !has_wildcard(point.binary)) return status.error();
  }
  if (expansion.targets.empty() && expansion.missing.empty() && expansion.refused.empty()) {
    expansion.missing = missing;
  }
  return expansion;
}

}  // namespace awl::runtime
