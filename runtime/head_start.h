// What loading and attaching need and can be made before the object is there: the output ring,
// where the kernel's types lie and what they are called, and perf events of tracepoints.
//
// The kernel clears a ring's memory when it makes one: some 3 ms for 16 MiB. Going through its
// 130,000 types takes some 2 ms, an event up to 0.5. What they depend on is in the description,
// which code generation has finished long before the machine code, so a second CPU can do this
// meanwhile.
#pragma once

#include <cstddef>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/file.h"
#include "runtime/attach/tracepoint_events.h"
#include "runtime/object/description.h"
#include "runtime/type_names.h"

namespace awl::runtime {

// The bytes of the object's output ring here.
size_t output_ring_size(const object::Description &description);

class HeadStart {
 public:
  // Starts, in a thread that handles no signals. Null where the object needs nothing of it.
  static std::shared_ptr<HeadStart> start(const object::Description &description);
  ~HeadStart();
  HeadStart(const HeadStart &) = delete;
  HeadStart &operator=(const HeadStart &) = delete;

  // Each waits, and gives away what it waited for. None if the kernel refused it, if the ring has
  // another size, or if nobody knew that it would be wanted: whoever needs it then makes it, and
  // tells why that fails.
  FileDescriptor take_ring(size_t size);
  std::optional<NamedKernelBtf> take_kernel_types();
  TracepointEvents take_events();

 private:
  HeadStart(size_t ring_size, bool wants_types, std::vector<TracepointName> tracepoints);
  void make(bool wants_types, const std::vector<TracepointName> &tracepoints);
  void wait_for_all();

  size_t ring_size_;  // 0: no ring
  FileDescriptor ring_;
  std::optional<NamedKernelBtf> types_;
  TracepointEvents events_;
  std::latch loadable_{1};  // what the loader wants is there
  std::thread thread_;
};

}  // namespace awl::runtime
