#include "runtime/symbols/process_events.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace awl::runtime {
namespace {

constexpr size_t kPages = 16;  // of data, per CPU: some hundred programs started

// Kernel: include/uapi/linux/perf_event.h, enum perf_event_type.
struct Mmap2 {
  perf_event_header header;
  uint32_t pid, tid;
  uint64_t address, size, offset;
  uint32_t major, minor;
  uint64_t inode, generation;
  uint32_t protection, flags;
  // char path[], u64 time
};
struct Comm {
  perf_event_header header;
  uint32_t pid, tid;
};
struct Fork {  // _EXIT is alike
  perf_event_header header;
  uint32_t pid, parent, tid, parent_tid;
};

template <class T>
bool load(std::string_view record, T *out) {
  if (record.size() < sizeof *out) return false;
  std::memcpy(out, record.data(), sizeof *out);
  return true;
}

perf_event_attr attributes(bool is_urgent) {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_SOFTWARE;
  attr.size = sizeof attr;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = 1;
  attr.sample_id_all = 1;
  attr.sample_type = PERF_SAMPLE_TIME;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  attr.watermark = 1;
  const size_t half = kPages * static_cast<size_t>(getpagesize()) / 2;
  attr.wakeup_watermark = is_urgent ? 1 : static_cast<uint32_t>(half);
  return attr;
}

uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

void handle_process_record(std::string_view record, ProcessEventHandler &handler) {
  perf_event_header header{};
  if (!load(record, &header)) return;
  if (header.type == PERF_RECORD_LOST) return handler.on_lost();
  if (header.type == PERF_RECORD_MMAP2) {
    Mmap2 event{};
    if (!load(record, &event) || event.address + event.size < event.address) return;
    const char *path = record.data() + sizeof event;
    const size_t length = strnlen(path, record.size() - sizeof event);
    if ((event.protection & PROT_EXEC) == 0 || event.size == 0) return;
    handler.on_map({event.pid, event.major, event.minor, event.address, event.size, event.offset,
                    event.inode, std::string_view(path, length)});
  } else if (header.type == PERF_RECORD_COMM) {
    Comm event{};
    if (load(record, &event) && (header.misc & PERF_RECORD_MISC_COMM_EXEC) != 0) {
      handler.on_exec(event.pid);
    }
  } else if (header.type == PERF_RECORD_EXIT) {
    Fork event{};
    if (load(record, &event)) handler.on_exit(event.pid);
  } else if (header.type == PERF_RECORD_FORK) {
    Fork event{};
    if (!load(record, &event)) return;
    // A thread has its process' id.
    if (event.pid == event.parent) {
      handler.on_thread(event.pid);
    } else {
      handler.on_fork(event.pid, event.parent);
    }
  }
}

std::unique_ptr<ProcessEvents> ProcessEvents::open(bool is_urgent) {
  std::unique_ptr<ProcessEvents> events(new ProcessEvents);
  const auto page = static_cast<size_t>(getpagesize());
  events->data_size_ = kPages * page;
  perf_event_attr attr = attributes(is_urgent);
  const long cpus = sysconf(_SC_NPROCESSORS_CONF);
  for (int cpu = 0; cpu < cpus; ++cpu) {
    Ring ring;
    ring.event = FileDescriptor(
        static_cast<int>(syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!ring.event && errno == ENODEV) continue;  // offline
    if (!ring.event) return nullptr;
    void *memory = mmap(nullptr, page + events->data_size_, PROT_READ | PROT_WRITE, MAP_SHARED,
                        ring.event.get(), 0);
    if (memory == MAP_FAILED) return nullptr;
    ring.memory = memory;
    events->rings_.push_back(std::move(ring));
  }
  return events;
}

ProcessEvents::~ProcessEvents() {
  for (Ring &ring : rings_) {
    munmap(ring.memory, static_cast<size_t>(getpagesize()) + data_size_);
  }
}

std::vector<int> ProcessEvents::descriptors() const {
  std::vector<int> result;
  for (const Ring &ring : rings_) result.push_back(ring.event.get());
  return result;
}

void ProcessEvents::collect(const Ring &ring) {
  auto *page = static_cast<perf_event_mmap_page *>(ring.memory);
  const char *data = static_cast<const char *>(ring.memory) + getpagesize();
  const uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
  uint64_t tail = page->data_tail;
  const auto copy = [&](uint64_t position, size_t size) {
    std::string bytes(size, '\0');
    const size_t at = position % data_size_, first = std::min(size, data_size_ - at);
    std::memcpy(bytes.data(), data + at, first);
    std::memcpy(bytes.data() + first, data, size - first);
    return bytes;
  };
  while (head - tail >= sizeof(perf_event_header)) {
    perf_event_header header{};
    load(copy(tail, sizeof header), &header);
    if (header.size < sizeof header || header.size > head - tail) break;
    Record record{0, copy(tail, header.size)};
    // The time stands at the end of all of them.
    if (record.bytes.size() >= sizeof header + sizeof record.time) {
      std::memcpy(&record.time, record.bytes.data() + record.bytes.size() - sizeof record.time,
                  sizeof record.time);
    }
    pending_.push_back(std::move(record));
    tail += header.size;
  }
  __atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

void ProcessEvents::read(ProcessEventHandler &handler) {
  // What happens while the rings are read, one after the other, waits for the next time.
  const bool is_new = std::any_of(rings_.begin(), rings_.end(), [](const Ring &ring) {
    const auto *page = static_cast<const perf_event_mmap_page *>(ring.memory);
    return __atomic_load_n(&page->data_head, __ATOMIC_RELAXED) != page->data_tail;
  });
  if (!is_new && pending_.empty()) return;
  const uint64_t end = now();
  for (const Ring &ring : rings_) collect(ring);
  std::stable_sort(pending_.begin(), pending_.end(),
                   [](const Record &a, const Record &b) { return a.time < b.time; });
  size_t done = 0;
  for (; done < pending_.size() && pending_[done].time <= end; ++done) {
    handle_process_record(pending_[done].bytes, handler);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(done));
}

}  // namespace awl::runtime
