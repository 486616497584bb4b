#include "runtime/head_start.h"

#include <bpf/bpf.h>
#include <signal.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "runtime/ring_reader.h"
#include "runtime/variables.h"

namespace awl::runtime {
namespace {

bool writes_output(const object::Description &description) {
  return std::any_of(
      description.events.begin(), description.events.end(), [](const object::Event &event) {
        return event.kind < object::EventKind::kExit || event.kind == object::EventKind::kSkboutput;
      });
}

}  // namespace

size_t output_ring_size(const object::Description &description) {
  // A ring that nothing is written to still tells control records its position.
  return ring_size(writes_output(description) ? description.settings.perf_rb_pages : 1);
}

std::shared_ptr<HeadStart> HeadStart::start(const object::Description &description) {
  const bool wants_types = std::any_of(
      description.programs.begin(), description.programs.end(),
      [](const object::Program &program) { return program.section.starts_with(kRawBtfPrefix); });
  const size_t ring_size = writes_output(description) ? output_ring_size(description) : 0;
  std::vector<TracepointName> tracepoints = tracepoints_of(description);
  if (!wants_types && tracepoints.empty() && ring_size == 0) return nullptr;
  return std::shared_ptr<HeadStart>(new HeadStart(ring_size, wants_types, std::move(tracepoints)));
}

HeadStart::HeadStart(size_t ring_size, bool wants_types, std::vector<TracepointName> tracepoints)
    : ring_size_(ring_size) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this, wants_types, tracepoints = std::move(tracepoints)] {
      make(wants_types, tracepoints);
    });
  } catch (const std::system_error &) {
    loadable_.count_down();  // no thread to be had: all is made where it is wanted
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void HeadStart::make(bool wants_types, const std::vector<TracepointName> &tracepoints) {
  if (wants_types) {
    Result<NamedKernelBtf> types = NamedKernelBtf::open();
    if (types) types_.emplace(std::move(*types));
  }
  if (ring_size_ != 0) {
    ring_ = FileDescriptor(bpf_map_create(BPF_MAP_TYPE_RINGBUF, object::kOutputRing, 0, 0,
                                          static_cast<uint32_t>(ring_size_), nullptr));
  }
  loadable_.count_down();
  events_ = TracepointEvents::open(tracepoints);
}

HeadStart::~HeadStart() { wait_for_all(); }

void HeadStart::wait_for_all() {
  if (thread_.joinable()) thread_.join();
}

TracepointEvents HeadStart::take_events() {
  wait_for_all();
  return std::move(events_);
}

FileDescriptor HeadStart::take_ring(size_t size) {
  loadable_.wait();
  return size == ring_size_ ? std::move(ring_) : FileDescriptor();
}

std::optional<NamedKernelBtf> HeadStart::take_kernel_types() {
  loadable_.wait();
  std::optional<NamedKernelBtf> types = std::move(types_);
  types_.reset();
  return types;
}

}  // namespace awl::runtime
