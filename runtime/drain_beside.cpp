#include "runtime/drain_beside.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace awl::runtime {
namespace {

constexpr int kPollMilliseconds = 1;

}  // namespace

DrainBeside::DrainBeside(Consumer &consumer) : end_(eventfd(0, EFD_CLOEXEC)) {
  const RingReader &ring = consumer.output_ring();
  if (!end_ || !ring.is_open()) return;
  thread_ = std::thread([this, &consumer, &ring] {
    pollfd end{end_.get(), POLLIN, 0};
    while (poll(&end, 1, kPollMilliseconds) == 0) {
      if (ring.produced() - ring.position() <= ring.size() / 2) continue;
      consumer.drain();
      consumer.rest();
    }
  });
}

DrainBeside::~DrainBeside() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!write(end_.get(), &one, sizeof one);
  thread_.join();
}

}  // namespace awl::runtime
