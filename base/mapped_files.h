// The files that processes run code from.
#pragma once

#include <string>
#include <vector>

namespace awl {

// Of one process, each once, as its own paths say (see process_root.h); empty: no such process.
std::vector<std::string> mapped_files(int pid);

// Of all processes, as far as their files can be opened from here by path: sorted, each once.
std::vector<std::string> files_in_use();

}  // namespace awl
