// The output ring, made before the object is there.
//
// The kernel clears a ring's memory when it makes one: some 3 ms for 16 MiB. What the ring's size
// depends on is in the description, which code generation has finished long before the machine
// code, so a second CPU can do this meanwhile.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>

#include "base/file.h"
#include "runtime/object/description.h"

namespace awl::runtime {

// The bytes of the object's output ring here.
size_t output_ring_size(const object::Description &description);

class EarlyRing {
 public:
  // Starts to make the ring, in a thread that handles no signals. Null where the object writes
  // nothing to it.
  static std::shared_ptr<EarlyRing> start(const object::Description &description);
  ~EarlyRing();
  EarlyRing(const EarlyRing &) = delete;
  EarlyRing &operator=(const EarlyRing &) = delete;

  // Waits for the ring and gives it away. None if the kernel refused it or it has another size: the
  // loader then makes its own, and tells why that fails.
  FileDescriptor take(size_t size);

 private:
  explicit EarlyRing(size_t size);

  size_t size_;
  FileDescriptor ring_;
  std::thread thread_;
};

}  // namespace awl::runtime
