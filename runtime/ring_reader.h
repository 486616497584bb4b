// Reads a BPF ring buffer through its shared memory (kernel: Documentation/bpf/ringbuf.rst,
// kernel/bpf/ringbuf.c). libbpf's reader can neither stop at a position, which keeping two
// rings in order needs, nor keep the kernel from waking us for every record.
//
// The layout: a page with the consumer's position (ours to write), a page with the producer's,
// then the data, twice in a row so that a record at the end is contiguous. A record is an 8-byte
// header (length with a busy and a discard bit; an offset that is not for us), then its bytes,
// rounded up to 8. Positions count bytes since the start and never wrap.
//
// Every mapped page counts as our memory, and a ring may have 16 MiB, so only a window of the data
// is mapped at a time, and behind it as much as the longest record may reach out of it.
//
// Wake-ups: the kernel wakes us when a record is committed exactly where the consumer's position
// stands, i.e. when we had caught up. While we poll anyway, rest() leaves the position one record
// behind, so that no producer pays for a wake-up; catch_up() asks for wake-ups again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace awl::runtime {

struct Record {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

class RingReader {
 public:
  RingReader() = default;
  // Memory laid out as the kernel does; `size` is that of the data, a power of two, and `overlap`
  // bytes of it follow once more behind.
  RingReader(uint64_t *consumer, const uint64_t *producer, const uint8_t *data, size_t size,
             size_t overlap);
  RingReader(RingReader &&other) noexcept;
  RingReader &operator=(RingReader &&other) noexcept;
  ~RingReader();

  // Maps a ring buffer map of `size` bytes, in which no record is longer than `longest_record`.
  static Result<RingReader> open(int map_fd, size_t size, size_t longest_record);

  enum class State { kRecord, kEmpty, kBusy };
  // The next record, which stays valid until the next call. Discarded ones are skipped.
  // kBusy: a program has reserved it and not finished writing.
  State peek(Record *out);
  // Goes past the record that peek() gave.
  void advance();
  // Whether a finished record that is waiting fits; takes none out.
  template <class Predicate>
  bool any_pending(Predicate fits) {
    const uint64_t position = position_, last = last_;
    bool found = false;
    for (Record record; !found && peek(&record) == State::kRecord; advance()) found = fits(record);
    position_ = next_ = position;
    last_ = last;
    return found;
  }

  uint64_t position() const { return position_; }  // of the next record
  uint64_t produced() const;                       // where producers stand
  size_t size() const { return size_; }
  bool is_open() const { return consumer_ != nullptr; }

  // Gives read space back to producers, all but the last record.
  void rest();
  // Gives all of it back; the next record wakes us.
  void catch_up();

 private:
  // The bytes at an offset in the data, `available` of them mapped. Null: cannot be mapped.
  const uint8_t *bytes_at(uint64_t offset, size_t *available);

  uint64_t *consumer_ = nullptr;
  const uint64_t *producer_ = nullptr;
  size_t size_ = 0;
  uint64_t position_ = 0;
  uint64_t last_ = 0;  // where the last record that was read starts
  uint64_t next_ = 0;  // where the record behind the one that peek() gave starts
  const uint8_t *window_ = nullptr;
  uint64_t window_start_ = 0;  // in the data
  size_t window_size_ = 0, overlap_ = 0;
  int map_fd_ = -1;  // -1: all is mapped, by somebody else
  size_t page_size_ = 0;
};

// The number of bytes for a ring: `pages` of 4 KiB rounded up to a power of two, or, with 0,
// by the machine's memory: 1/1024 of it, from 256 KiB to 16 MiB.
size_t ring_size(uint64_t pages);

}  // namespace awl::runtime
