// What processes do that decides which code lies where: they map files, fork, run programs
// and end.
//
// The kernel tells it as perf events of a software event that never fires itself
// (perf_event_open(2): PERF_RECORD_MMAP2, _COMM, _FORK, _EXIT), in a ring per CPU. So processes are
// known which have ended long before a stack of theirs is printed, without watching any of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace awl::runtime {

class ProcessEventHandler {
 public:
  virtual ~ProcessEventHandler() = default;
  struct Map {
    uint32_t pid = 0, major = 0, minor = 0;
    uint64_t start = 0, size = 0, offset = 0, inode = 0;  // bytes
    std::string_view path;
  };
  virtual void on_map(const Map &map) = 0;  // executable
  virtual void on_exec(uint32_t pid) = 0;
  virtual void on_fork(uint32_t pid, uint32_t parent) = 0;
  virtual void on_thread(uint32_t pid) = 0;  // it has one more
  // One of its threads has ended, and with the last of them the process. The first may end before
  // others.
  virtual void on_exit(uint32_t pid) = 0;
  virtual void on_lost() = 0;  // some of these were not told
};

class ProcessEvents {
 public:
  // Null: the kernel does not let us. `is_urgent`: readable at once, not when a ring is half full.
  static std::unique_ptr<ProcessEvents> open(bool is_urgent);
  ~ProcessEvents();

  // Tells what has happened since the last call, in the order in which it did.
  void read(ProcessEventHandler &handler);
  std::vector<int> descriptors() const;

 private:
  struct Ring {
    FileDescriptor event;
    void *memory = nullptr;
  };
  struct Record {
    uint64_t time = 0;
    std::string bytes;
  };
  ProcessEvents() = default;
  void collect(const Ring &ring);

  size_t data_size_ = 0;  // bytes of each ring
  std::vector<Ring> rings_;
  std::vector<Record> pending_;
};

// One record of a ring, with its header: checked, then handed over. For tests, too.
void handle_process_record(std::string_view record, ProcessEventHandler &handler);

}  // namespace awl::runtime
