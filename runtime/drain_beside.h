// Empties the rings while a program runs in this thread: a `begin` may print more than a ring
// holds before it returns.
#pragma once

#include <thread>

#include "base/file.h"
#include "runtime/consumer.h"

namespace awl::runtime {

// From its construction to its destruction a thread looks at the rings each millisecond, and
// drains them when the output ring is half full. The consumer must not be used meanwhile.
class DrainBeside {
 public:
  explicit DrainBeside(Consumer &consumer);
  ~DrainBeside();
  DrainBeside(const DrainBeside &) = delete;
  DrainBeside &operator=(const DrainBeside &) = delete;

 private:
  FileDescriptor end_;  // an eventfd, written to when it is over
  std::thread thread_;
};

}  // namespace awl::runtime
