// Snapshots: what a Target knows of one machine, in a folder, to compile for that machine (or to
// test) elsewhere.
//
//   snapshot.json   tracepoints, kernel symbols, binaries, cgroups, as a JSON document
//   vmlinux.btf     the kernel's BTF: all of it, or the types that were asked for
//
// The document is input from outside: what is malformed makes loading fail, with what and where.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "frontend/target/target.h"

namespace awl::frontend {

// What of this host goes into a snapshot. What is not there is an error, but for patterns, which
// may match nothing.
struct SnapshotRequest {
  // BTF: "struct task_struct", "union sigval", "enum pid_type" or the name of a typedef. What
  // they hold comes with them; what they point to must be asked for, see btf_subset.h.
  std::vector<std::string> types;
  std::vector<std::string> constants;        // enumerators; their whole enumeration is taken
  std::vector<std::string> functions;        // kernel functions, for their signatures
  std::vector<std::string> raw_tracepoints;  // "sched_switch"
  bool all_types = false;                    // the whole BTF instead of the four above

  std::vector<std::string> tracepoints;  // "category:event" patterns
  std::vector<std::string> kernel_symbols;
  struct Binary {
    std::string name;                   // as a user writes it: "libc"
    std::vector<std::string> patterns;  // of functions
    std::vector<std::string> objects;   // data symbols, for their size
  };
  std::vector<Binary> binaries;
  std::vector<std::string> cgroups;
};

// Makes the folder, or replaces what an earlier snapshot left in it.
Status write_snapshot(const SnapshotRequest &request, const std::string &folder);

// A request from a JSON document with the names of SnapshotRequest's members.
Result<SnapshotRequest> parse_snapshot_request(const std::string &json);

}  // namespace awl::frontend
