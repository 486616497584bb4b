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
constexpr uint64_t kPageSize = 4096;  // what perf_rb_pages counts in, whatever the machine has

}  // namespace

RingReader::RingReader(uint64_t *consumer, const uint64_t *producer, const uint8_t *data,
                       size_t size, size_t overlap)
    : consumer_(consumer), producer_(producer), data_(data), size_(size), overlap_(overlap) {
  position_ = last_ = __atomic_load_n(consumer_, __ATOMIC_ACQUIRE);
}

RingReader::RingReader(RingReader &&other) noexcept { *this = std::move(other); }

RingReader &RingReader::operator=(RingReader &&other) noexcept {
  std::swap(consumer_, other.consumer_);
  std::swap(producer_, other.producer_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(overlap_, other.overlap_);
  std::swap(position_, other.position_);
  std::swap(last_, other.last_);
  std::swap(mapped_consumer_, other.mapped_consumer_);
  std::swap(mapped_producer_, other.mapped_producer_);
  std::swap(page_size_, other.page_size_);
  return *this;
}

RingReader::~RingReader() {
  if (mapped_consumer_ != nullptr) munmap(mapped_consumer_, page_size_);
  if (mapped_producer_ != nullptr) munmap(mapped_producer_, page_size_ + size_ + overlap_);
}

Result<RingReader> RingReader::open(int map_fd, size_t size, size_t longest_record) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t overlap = std::min(size, (longest_record + kHeaderSize + page - 1) / page * page);
  void *consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) return Error::from_errno("cannot map a ring buffer");
  void *producer =
      mmap(nullptr, page + size + overlap, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page));
  if (producer == MAP_FAILED) {
    const int code = errno;
    munmap(consumer, page);
    return Error::from_errno("cannot map a ring buffer", code);
  }
  RingReader reader(static_cast<uint64_t *>(consumer), static_cast<const uint64_t *>(producer),
                    static_cast<const uint8_t *>(producer) + page, size, overlap);
  reader.mapped_consumer_ = consumer;
  reader.mapped_producer_ = producer;
  reader.page_size_ = page;
  return reader;
}

uint64_t RingReader::produced() const { return __atomic_load_n(producer_, __ATOMIC_ACQUIRE); }

RingReader::State RingReader::peek(Record *out) {
  for (;;) {
    if (position_ >= produced()) return State::kEmpty;
    const uint64_t offset = position_ & (size_ - 1);
    const uint8_t *header = data_ + offset;
    const uint32_t length =
        __atomic_load_n(reinterpret_cast<const uint32_t *>(header), __ATOMIC_ACQUIRE);
    if (length & BPF_RINGBUF_BUSY_BIT) return State::kBusy;
    out->data = header + kHeaderSize;
    out->size = std::min<size_t>(length & ~BPF_RINGBUF_DISCARD_BIT,
                                 size_ + overlap_ - offset - kHeaderSize);
    if (!(length & BPF_RINGBUF_DISCARD_BIT)) return State::kRecord;
    advance();
  }
}

void RingReader::advance() {
  const uint8_t *header = data_ + (position_ & (size_ - 1));
  uint64_t length = *reinterpret_cast<const uint32_t *>(header);
  length &= ~uint64_t{BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT};
  last_ = position_;
  position_ += (length + kHeaderSize + 7) & ~uint64_t{7};
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
  return std::bit_floor(std::clamp<uint64_t>(memory / 4096, kMinRingSize, kMaxRingSize));
}

}  // namespace awl::runtime
