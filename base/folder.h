// What is in a folder. One that cannot be read has nothing in it.
#pragma once

#include <string>
#include <vector>

namespace awl {

// Sorted, without those that begin with a dot.
std::vector<std::string> names_in_folder(const std::string &path);
std::vector<std::string> folders_in_folder(const std::string &path);

// The names that are numbers above 0: processes in /proc, threads in /proc/PID/task.
std::vector<int> numbers_in_folder(const std::string &path);

}  // namespace awl
