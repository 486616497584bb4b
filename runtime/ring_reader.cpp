#include "runtime/ring_reader.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace awl::runtime {
namespace {

constexpr uint64_t kHeaderSize = BPF_RINGBUF_HDR_SZ;
constexpr size_t kMinRingSize = 256u << 10, kMaxRingSize = 16u << 20, kLargestRing = 1u << 30;
constexpr size_t kWindowSize = 1u << 20;
constexpr uint64_t kPageSize = 4096;  // what perf_rb_pages counts in, whatever the machine has

}  // namespace

RingReader::RingReader(uint64_t *consumer, const uint64_t *producer, const uint8_t *data,
                       size_t size, size_t overlap)
    : consumer_(consumer),
      producer_(producer),
      size_(size),
      window_(data),
      window_size_(size),
      overlap_(overlap) {
  position_ = last_ = next_ = __atomic_load_n(consumer_, __ATOMIC_ACQUIRE);
}

RingReader::RingReader(RingReader &&other) noexcept { *this = std::move(other); }

RingReader &RingReader::operator=(RingReader &&other) noexcept {
  std::swap(consumer_, other.consumer_);
  std::swap(producer_, other.producer_);
  std::swap(size_, other.size_);
  std::swap(position_, other.position_);
  std::swap(last_, other.last_);
  std::swap(next_, other.next_);
  std::swap(window_, other.window_);
  std::swap(window_start_, other.window_start_);
  std::swap(window_size_, other.window_size_);
  std::swap(overlap_, other.overlap_);
  std::swap(map_fd_, other.map_fd_);
  std::swap(page_size_, other.page_size_);
  return *this;
}

RingReader::~RingReader() {
  if (map_fd_ < 0) return;
  if (consumer_ != nullptr) munmap(consumer_, page_size_);
  if (producer_ != nullptr) munmap(const_cast<uint64_t *>(producer_), page_size_);
  if (window_ != nullptr) munmap(const_cast<uint8_t *>(window_), window_size_ + overlap_);
}

Result<RingReader> RingReader::open(int map_fd, size_t size, size_t longest_record) {
  RingReader reader;
  const size_t page = reader.page_size_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  reader.map_fd_ = map_fd;
  reader.size_ = size;
  reader.window_size_ = std::min(size, kWindowSize);
  reader.overlap_ = std::min(size, (longest_record + kHeaderSize + page - 1) / page * page);
  void *consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) return Error::from_errno("cannot map a ring buffer");
  reader.consumer_ = static_cast<uint64_t *>(consumer);
  void *producer = mmap(nullptr, page, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page));
  if (producer == MAP_FAILED) return Error::from_errno("cannot map a ring buffer");
  reader.producer_ = static_cast<const uint64_t *>(producer);
  void *window = mmap(nullptr, reader.window_size_ + reader.overlap_, PROT_READ, MAP_SHARED, map_fd,
                      static_cast<off_t>(2 * page));
  if (window == MAP_FAILED) return Error::from_errno("cannot map a ring buffer");
  reader.window_ = static_cast<const uint8_t *>(window);
  reader.position_ = reader.last_ = reader.next_ =
      __atomic_load_n(reader.consumer_, __ATOMIC_ACQUIRE);
  return reader;
}

const uint8_t *RingReader::bytes_at(uint64_t offset, size_t *available) {
  const uint64_t start = offset & ~uint64_t{window_size_ - 1};
  if (start != window_start_ && map_fd_ >= 0) {
    // In place of the window before, at the same address.
    void *window =
        mmap(const_cast<uint8_t *>(window_), window_size_ + overlap_, PROT_READ,
             MAP_SHARED | MAP_FIXED, map_fd_, static_cast<off_t>(2 * page_size_ + start));
    if (window == MAP_FAILED) return nullptr;
    window_start_ = start;
  }
  *available = window_start_ + window_size_ + overlap_ - offset;
  return window_ + (offset - window_start_);
}

uint64_t RingReader::produced() const { return __atomic_load_n(producer_, __ATOMIC_ACQUIRE); }

RingReader::State RingReader::peek(Record *out) {
  for (;;) {
    if (position_ >= produced()) return State::kEmpty;
    size_t available = 0;
    const uint8_t *header = bytes_at(position_ & (size_ - 1), &available);
    if (header == nullptr) return State::kBusy;
    uint32_t length = __atomic_load_n(reinterpret_cast<const uint32_t *>(header), __ATOMIC_ACQUIRE);
    if (length & BPF_RINGBUF_BUSY_BIT) return State::kBusy;
    const bool is_discarded = (length & BPF_RINGBUF_DISCARD_BIT) != 0;
    length &= ~BPF_RINGBUF_DISCARD_BIT;
    next_ = position_ + ((uint64_t{length} + kHeaderSize + 7) & ~uint64_t{7});
    out->data = header + kHeaderSize;
    out->size = std::min<size_t>(length, available - kHeaderSize);
    if (!is_discarded) return State::kRecord;
    advance();
  }
}

void RingReader::advance() {
  last_ = position_;
  position_ = next_;
}

void RingReader::rest() { __atomic_store_n(consumer_, last_, __ATOMIC_RELEASE); }

void RingReader::catch_up() {
  last_ = position_;
  __atomic_store_n(consumer_, position_, __ATOMIC_SEQ_CST);
}

size_t ring_size(uint64_t pages) {
  if (pages != 0) {
    const uint64_t bytes = std::clamp<uint64_t>(pages, 1, kLargestRing / kPageSize) * kPageSize;
    return std::bit_ceil(std::max<uint64_t>(bytes, static_cast<uint64_t>(sysconf(_SC_PAGESIZE))));
  }
  const uint64_t memory =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::bit_floor(std::clamp<uint64_t>(memory / 1024, kMinRingSize, kMaxRingSize));
}

}  // namespace awl::runtime
