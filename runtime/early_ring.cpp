#include "runtime/early_ring.h"

#include <bpf/bpf.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "runtime/ring_reader.h"

namespace awl::runtime {
namespace {

bool writes_output(const object::Description &description) {
  return std::any_of(
      description.events.begin(), description.events.end(),
      [](const object::Event &event) {
        return event.kind < object::EventKind::kExit ||
               event.kind == object::EventKind::kSkboutput;
      });
}

}  // namespace

size_t output_ring_size(const object::Description &description) {
  // A ring that nothing is written to still tells control records its position.
  return ring_size(writes_output(description) ? description.settings.perf_rb_pages : 1);
}

std::shared_ptr<EarlyRing> EarlyRing::start(const object::Description &description) {
  if (!writes_output(description)) return nullptr;
  return std::shared_ptr<EarlyRing>(new EarlyRing(output_ring_size(description)));
}

EarlyRing::EarlyRing(size_t size) : size_(size) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] {
    ring_ = FileDescriptor(bpf_map_create(BPF_MAP_TYPE_RINGBUF, object::kOutputRing, 0, 0,
                                          static_cast<uint32_t>(size_), nullptr));
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

EarlyRing::~EarlyRing() {
  if (thread_.joinable()) thread_.join();
}

FileDescriptor EarlyRing::take(size_t size) {
  if (thread_.joinable()) thread_.join();
  return size == size_ ? std::move(ring_) : FileDescriptor();
}

}  // namespace awl::runtime
