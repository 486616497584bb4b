// Filters of tc on kernels before 6.6, where programs have no links on interfaces.
//
// A filter stays when whoever made it is gone, even by SIGKILL. So a process beside the tracer, the
// guard, holds the list: it learns of each filter before it is made, waits for the tracer to close
// the pipe between them, which the kernel does however the tracer ends, and then removes them, and
// the queueing disciplines that were put in for them when nothing else uses these. Only a guard
// that is killed as well leaves filters behind; they go with their interface.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace awl::runtime {

class TcFilters {
 public:
  TcFilters() = default;
  TcFilters(TcFilters &&) = default;
  TcFilters &operator=(TcFilters &&) = default;
  ~TcFilters() { remove(); }

  // Attaches a program in direct-action mode; those of one side of an interface run in the order in
  // which they are added.
  Status add(int program, int interface, bool is_ingress);
  // Removes all and waits until they are.
  void remove();

 private:
  Status start_guard();

  FileDescriptor guard_pipe_;
  pid_t guard_ = -1;
  uint32_t count_ = 0;
  std::map<std::pair<int, bool>, uint32_t> next_priority_;  // by interface and whether for ingress
};

}  // namespace awl::runtime
