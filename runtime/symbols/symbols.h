// Names for addresses and numbers: kernel and user symbols, users, cgroups, signals, system calls.
//
// Everything is loaded when it is first asked for and kept. Files that are gone (a process has
// ended) give no name, never an error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace awl::runtime {

// An address resolved. `name` is empty when nothing is known about it.
struct Symbol {
  std::string name;     // demangled when asked for
  uint64_t offset = 0;  // from the symbol's start
  std::string module;   // path of the mapped file; kernel: module's name, or empty for vmlinux
};

class Symbols {
 public:
  explicit Symbols(bool demangle = true);
  ~Symbols();
  Symbols(const Symbols &) = delete;
  Symbols &operator=(const Symbols &) = delete;

  Symbol kernel(uint64_t address);
  // Address of a kernel symbol, 0: unknown.
  uint64_t kernel_address(const std::string &name);

  // `binary` (may be empty) is the file the probe is attached to: what is looked into when the
  // process is gone.
  Symbol user(uint64_t address, uint32_t pid, const std::string &binary);
  // Reads the maps and symbols of a process now, since it may be gone when its stacks are printed.
  void remember_process(uint32_t pid);

  std::string username(uint32_t uid);                                  // the number when unknown
  std::string cgroup_path(uint64_t id, const std::string &filter);     // see value_printer.h

 private:
  struct State;
  std::unique_ptr<State> s_;
};

std::string demangle(const std::string &symbol);

const char *signal_name(uint64_t number);  // "SIGKILL", null: none
const char *error_name(uint64_t number);   // text of an errno, as strerror gives it; null: none
const char *syscall_name(uint64_t number); // "openat" on this architecture; null: none

}  // namespace awl::runtime
