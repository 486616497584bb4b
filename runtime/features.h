// What the running kernel can do, found out by asking it. Nothing is asked at start-up that a
// script does not need; `awl --info` asks for all.
#pragma once

#include <string>
#include <vector>

namespace awl::runtime {

struct Feature {
  std::string group;  // "Kernel helpers", "Kernel features", "Probe types"
  std::string name;
  bool is_available = false;
};

// Every feature that awl makes use of where it is there. Needs the right to load BPF programs.
std::vector<Feature> detect_features();

}  // namespace awl::runtime
