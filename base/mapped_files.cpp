#include "base/mapped_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/folder.h"
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
  for (const int pid : numbers_in_folder("/proc")) {
    for (std::string &file : mapped_files(pid)) {
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
