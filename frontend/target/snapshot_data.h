// The content of snapshot.json, shared by its reader and its writer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "frontend/target/target.h"

namespace awl::frontend {

inline constexpr int kSnapshotVersion = 1;
inline constexpr const char *kSnapshotDocument = "snapshot.json";
inline constexpr const char *kSnapshotBtf = "vmlinux.btf";

struct SnapshotData {
  std::string architecture;  // as uname -m
  std::string kernel;        // as uname -r
  bool has_btf = false;
  std::map<std::string, TracepointFormat> tracepoints;  // by "category:event"
  std::map<std::string, uint64_t> kernel_symbols;
  struct Binary {
    std::vector<std::string> functions;       // sorted
    std::map<std::string, uint64_t> objects;  // data symbols: bytes
  };
  std::map<std::string, std::string> paths;  // what users call a binary → its path
  std::map<std::string, Binary> binaries;    // by path
  std::map<std::string, uint64_t> cgroups;   // by path
};

std::string to_json(const SnapshotData &data);
Result<SnapshotData> parse_snapshot(const std::string &json);

}  // namespace awl::frontend
