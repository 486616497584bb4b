#include "base/folder.h"

#include <dirent.h>

#include <algorithm>
#include <functional>

#include "base/text.h"

namespace awl {
namespace {

void visit_folder(const std::string &path, const std::function<void(const dirent &)> &visit) {
  DIR *folder = opendir(path.c_str());
  if (folder == nullptr) return;
  while (const dirent *entry = readdir(folder)) {
    if (entry->d_name[0] != '.') visit(*entry);
  }
  closedir(folder);
}

}  // namespace

std::vector<std::string> names_in_folder(const std::string &path) {
  std::vector<std::string> names;
  visit_folder(path, [&](const dirent &entry) { names.emplace_back(entry.d_name); });
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> folders_in_folder(const std::string &path) {
  std::vector<std::string> names;
  visit_folder(path, [&](const dirent &entry) {
    if (entry.d_type == DT_DIR) names.emplace_back(entry.d_name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<int> numbers_in_folder(const std::string &path) {
  std::vector<int> numbers;
  visit_folder(path, [&](const dirent &entry) {
    int number = 0;
    if (parse_digits(entry.d_name, 10, &number) && number > 0) numbers.push_back(number);
  });
  return numbers;
}

}  // namespace awl
