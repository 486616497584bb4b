#include "base/mapped_files.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/process_maps.h"

namespace awl {

std::vector<std::string> mapped_files(int pid) {
  std::vector<std::string> files;
  visit_executable_maps(read_process_maps(static_cast<uint32_t>(pid)), [&](const ProcessMap &map) {
    if (!map.path.starts_with('/')) return;
    if (std::find(files.begin(), files.end(), map.path) == files.end()) {
      files.emplace_back(map.path);
    }
  });
  return files;
}

std::vector<std::string> files_in_use() {
  std::vector<std::string> files;
  std::set<std::pair<dev_t, ino_t>> known;
  DIR *directory = opendir("/proc");
  if (directory == nullptr) return files;
  while (const dirent *entry = readdir(directory)) {
    const int pid = atoi(entry->d_name);
    if (pid <= 0) continue;
    for (std::string &file : mapped_files(pid)) {
      struct stat info;
      if (stat(file.c_str(), &info) != 0 || !known.insert({info.st_dev, info.st_ino}).second) {
        continue;
      }
      files.push_back(std::move(file));
    }
  }
  closedir(directory);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace awl
