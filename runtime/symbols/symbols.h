// Names for addresses and numbers: kernel and user symbols, users, cgroups, signals, system calls.
//
// Everything is loaded when it is first asked for and kept. Files that are gone (a process has
// ended) give no name, never an error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace awl::runtime {

// An address resolved. `name` is empty when nothing is known about it.
struct Symbol {
  std::string name;          // demangled when asked for
  uint64_t offset = 0;       // from the symbol's start
  std::string module;        // path of the mapped file; kernel: module's name, or empty for vmlinux
  std::string build_id;      // user: of the file, hexadecimal
  uint64_t file_offset = 0;  // user: of the address in the file,
  uint64_t file_address = 0;  // and as the file's own symbols count
};

class Symbols {
 public:
  // `keeps_files`: what was read of a file is kept for the next address in it.
  explicit Symbols(bool demangle = true, bool keeps_files = true);
  ~Symbols();
  Symbols(const Symbols &) = delete;
  Symbols &operator=(const Symbols &) = delete;

  Symbol kernel(uint64_t address);
  // Called once when the kernel hides the addresses of its symbols.
  void set_on_hidden_kernel(std::function<void()> then);

  Symbol user(uint64_t address, uint32_t pid);
  // Notes what a process has mapped by now, since it may be gone when its stacks are printed.
  void remember_process(uint32_t pid);
  void remember_all_processes();

  // What read_process_events() calls: a process has mapped code, was forked, has run another
  // program, has one thread more or less; or some of that was not told.
  struct ProcessCalls {
    std::function<void(uint32_t pid)> on_map;
    std::function<void(uint32_t pid, uint32_t parent)> on_fork;
    std::function<void(uint32_t pid)> on_exec, on_thread, on_exit;
    std::function<void()> on_lost;
  };
  // From now on takes note of what processes map as they do it, where the kernel tells. With calls
  // nothing of it waits.
  void follow_processes();
  void follow_processes(ProcessCalls calls);
  // Readable when something has been told that read_process_events() is to take: much, or, when
  // somebody waits for it, anything.
  std::vector<int> process_event_descriptors() const;
  void read_process_events();

  std::string username(uint32_t uid);                               // the number when unknown
  std::string cgroup_path(uint64_t id, const std::string &filter);  // find_cgroup_paths()

 private:
  struct State;
  std::unique_ptr<State> s_;
};

std::string demangle(const std::string &symbol);

// Flags of the kernel's page allocator (gfp_t) as their names, joined by '|'; %gr.
std::string allocation_flags(uint64_t flags);

}  // namespace awl::runtime
