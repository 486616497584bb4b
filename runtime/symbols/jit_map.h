// What a JIT compiler tells of the code it has made, in /tmp/perf-PID.map: a line per function,
// "7f0012340000 1f0 LazyCompile:~main a.js:1" (kernel: tools/perf/Documentation/jit-interface.txt).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/file.h"

namespace awl::runtime {

// Addresses that nothing is known of are common (stacks end in odd ones): /proc/PID/maps and a
// compiler's file are looked at for them no more often than this.
inline constexpr std::chrono::milliseconds kMinReadInterval{20};

class JitMap {
 public:
  explicit JitMap(uint32_t pid) : pid_(pid) {}

  struct Function {
    uint64_t start = 0, size = 0;  // bytes
    std::string name;
  };
  // Null: none there. The file is read when it has grown, but see kMinReadInterval.
  const Function *find(uint64_t address);
  std::string path() const;  // as the process sees it

 private:
  const Function *find_known(uint64_t address) const;
  FileDescriptor open_file();  // none: there is none, or nothing new in it
  void read();

  uint32_t pid_;
  std::map<uint64_t, Function> functions_;  // by start
  uint64_t size_ = 0;                       // of the file when it was read
  std::optional<uid_t> owner_;              // of the process, while it lives
  std::chrono::steady_clock::time_point last_read_;
};

}  // namespace awl::runtime
