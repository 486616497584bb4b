#include "base/mapped_files.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/file.h"

namespace awl {

std::vector<std::string> mapped_files(int pid) {
  std::vector<std::string> files;
  Result<std::string> maps = read_file("/proc/" + std::to_string(pid) + "/maps");
  if (!maps) return files;
  size_t at = 0;
  while (at < maps->size()) {
    const size_t end = std::min(maps->find('\n', at), maps->size());
    const std::string line = maps->substr(at, end - at);
    at = end + 1;
    // "start-end rwxp offset dev inode   /path": the 4th character of the 2nd field's word is x.
    const size_t space = line.find(' '), path = line.find('/');
    if (space == std::string::npos || path == std::string::npos || line.size() < space + 5)
      continue;
    if (line[space + 3] != 'x') continue;
    const std::string file = line.substr(path);
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
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
