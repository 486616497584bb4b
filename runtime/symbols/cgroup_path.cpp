#include "runtime/symbols/cgroup_path.h"

#include <dirent.h>
#include <sys/stat.h>

#include <map>
#include <vector>

#include "base/file.h"
#include "base/pattern.h"
#include "base/text.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxDirectories = 200000;

// Fields between spaces.
std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> parts;
  while (!line.empty()) {
    const std::string_view part = take_until(line, separator);
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

// The name of a version 1 hierarchy by its mount options: its controllers, or name=….
std::string hierarchy_name(std::string_view options) {
  std::string name;
  for (std::string_view option : split(options, ',')) {
    if (option == "rw" || option == "ro" || option == "xattr" || option == "noprefix" ||
        option == "clone_children" || option.starts_with("release_agent=")) {
      continue;
    }
    if (option.starts_with("name=")) option.remove_prefix(5);
    if (!name.empty()) name += ',';
    name += option;
  }
  return name;
}

// Mount points by name; "" for version 2, so that it comes first.
std::map<std::string, std::string> mounted_hierarchies() {
  std::map<std::string, std::string> mounts;
  Result<std::string> text = read_file("/proc/self/mountinfo", 16u << 20);
  if (!text) return mounts;
  for (std::string_view line : split(*text, '\n')) {
    size_t dash = line.find(" - ");
    if (dash == line.npos) continue;
    std::vector<std::string_view> before = split(line.substr(0, dash), ' ');
    std::vector<std::string_view> after = split(line.substr(dash + 3), ' ');
    if (before.size() < 5 || after.size() < 3) continue;
    if (after[0] == "cgroup2") mounts.try_emplace("", before[4]);
    if (after[0] == "cgroup") mounts.try_emplace(hierarchy_name(after[2]), before[4]);
  }
  return mounts;
}

// The directory below `root` with inode number `id`: its path from there. False: none.
bool find_directory(const std::string &root, uint64_t id, std::string &path) {
  struct stat info;
  if (stat(root.c_str(), &info) != 0) return false;
  path = "/";
  if (info.st_ino == id) return true;
  std::vector<std::string> pending = {""};
  for (size_t visited = 0; !pending.empty() && visited < kMaxDirectories; ++visited) {
    std::string parent = std::move(pending.back());
    pending.pop_back();
    DIR *directory = opendir((root + parent).c_str());
    if (!directory) continue;
    while (const dirent *entry = readdir(directory)) {
      std::string_view name = entry->d_name;
      if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
      std::string child = parent + "/";
      child += name;
      if (entry->d_ino == id) {
        path = child;
        closedir(directory);
        return true;
      }
      pending.push_back(std::move(child));
    }
    closedir(directory);
  }
  return false;
}

}  // namespace

std::string find_cgroup_paths(uint64_t id, const std::string &filter) {
  std::string out, path;
  for (const auto &[key, mount] : mounted_hierarchies()) {
    const std::string name = key.empty() ? "unified" : key;
    if (!filter.empty() && !matches_pattern(filter, name)) continue;
    if (!find_directory(mount, id, path)) continue;
    if (!out.empty()) out += ',';
    out.append(name).append(":").append(path);
  }
  return out;
}

}  // namespace awl::runtime
