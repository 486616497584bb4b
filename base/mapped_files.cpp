#include "base/mapped_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/folder.h"
#include "base/process_maps.h"

namespace awl {

namespace {

// As /proc tells their paths: from the root of the reader, where it can see them.
std::vector<std::string> read_mapped_files(int pid) {
  std::vector<std::string> files;
  visit_executable_maps(read_process_maps(static_cast<uint32_t>(pid)), [&](const ProcessMap &map) {
    if (!map.path.starts_with('/')) return;
    if (std::find(files.begin(), files.end(), map.path) == files.end()) {
      files.emplace_back(map.path);
    }
  });
  return files;
}

}  // namespace

std::vector<std::string> mapped_files(int pid) {
  std::vector<std::string> files = read_mapped_files(pid);
  std::error_code error;
  // "/", or where a process that called chroot(2) has its own.
  const std::string root =
      std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/root", error).string();
  if (error || root.size() < 2) return files;
  for (std::string &file : files) {
    if (file.starts_with(root + "/")) file.erase(0, root.size());
  }
  return files;
}

std::vector<std::string> files_in_use() {
  std::vector<std::string> files;
  std::set<std::pair<dev_t, ino_t>> known;
  for (const int pid : numbers_in_folder("/proc")) {
    for (std::string &file : read_mapped_files(pid)) {
      struct stat info;
      if (stat(file.c_str(), &info) != 0 || !known.insert({info.st_dev, info.st_ino}).second) {
        continue;
      }
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace awl
