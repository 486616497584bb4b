// Programs that are tied to something among the kernel's types when they are loaded: a raw
// tracepoint (tp_btf), a function (fentry, fexit), a function of a running program.
//
// Left to itself, libbpf reads all of the kernel's BTF to find the type for each, and knows one
// target for a program. Here it is told: as long as a TracingPrograms lives, programs in such
// sections pass as plain raw tracepoints, whose types nobody looks for, until the moment they are
// loaded. What libbpf then hands to the kernel is kept, to load copies for other functions from.
#pragma once

#include <bpf/bpf.h>

#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

struct bpf_program;

namespace awl::runtime {

// What a program is tied to: a type in the kernel's BTF, in a module's or in a program's.
struct TracingTarget {
  uint32_t btf_id = 0;
  int module_btf = -1;  // descriptor
  int program = -1;     // descriptor
};

class TracingPrograms {
 public:
  TracingPrograms();
  TracingPrograms(const TracingPrograms &) = delete;
  TracingPrograms &operator=(const TracingPrograms &) = delete;
  ~TracingPrograms();

  // Whether programs in such a section are loaded this way.
  static bool is_section(const std::string &section);

  // What the program of that name is tied to when it is loaded next.
  void set_target(const std::string &program, const TracingTarget &target) {
    targets_[program] = target;
  }

  // Loads a program that libbpf has loaded once more, for another target. `log` gets the
  // verifier's words.
  Result<FileDescriptor> load_copy(bpf_program *program, const TracingTarget &target,
                                   const std::string &license, char *log, size_t log_size) const;

 private:
  static int prepare(bpf_program *program, bpf_prog_load_opts *options, long cookie);

  std::vector<int> handlers_;
  std::map<std::string, TracingTarget> targets_;
  std::map<std::string, bpf_prog_load_opts> loaded_;  // by name: how it was loaded
};

}  // namespace awl::runtime
