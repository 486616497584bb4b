// The ring reader on memory laid out as the kernel lays it out.
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cstring>
#include <vector>

#include "runtime/ring_reader.h"

namespace awl::runtime {
namespace {

// A ring with a producer like the kernel's, without the kernel.
class FakeRing {
 public:
  explicit FakeRing(size_t size) : size_(size), data_(2 * size / 8) {}

  RingReader reader() { return RingReader(&consumer_, &producer_, bytes(), size_, size_); }

  // Reserves a record; returns its position.
  uint64_t reserve(const std::string &text, uint32_t flags = 0) {
    const uint64_t position = producer_;
    const auto length = static_cast<uint32_t>(text.size());
    put(position, length | flags);
    for (size_t i = 0; i < text.size(); ++i) put_byte(position + 8 + i, text[i]);
    producer_ += (text.size() + 8 + 7) & ~uint64_t{7};
    return position;
  }
  void commit(uint64_t position, uint32_t length) { put(position, length); }
  void set_length(uint64_t position, uint32_t length) { put(position, length); }

  uint64_t consumer_ = 0, producer_ = 0;

 private:
  uint8_t *bytes() { return reinterpret_cast<uint8_t *>(data_.data()); }
  void put_byte(uint64_t position, char byte) {
    const uint64_t at = position & (size_ - 1);
    bytes()[at] = bytes()[at + size_] = static_cast<uint8_t>(byte);
  }
  void put(uint64_t position, uint32_t header) {
    const uint64_t at = position & (size_ - 1);
    memcpy(bytes() + at, &header, sizeof header);
    memcpy(bytes() + at + size_, &header, sizeof header);
  }

  size_t size_;
  std::vector<uint64_t> data_;
};

std::string take(RingReader &reader) {
  Record record;
  switch (reader.peek(&record)) {
    case RingReader::State::kEmpty:
      return "<empty>";
    case RingReader::State::kBusy:
      return "<busy>";
    case RingReader::State::kRecord:
      break;
  }
  std::string text(reinterpret_cast<const char *>(record.data), record.size);
  reader.advance();
  return text;
}

TEST(RingReader, ReadsRecordsInOrder) {
  FakeRing ring(4096);
  RingReader reader = ring.reader();
  EXPECT_EQ(take(reader), "<empty>");
  ring.reserve("one");
  ring.reserve("second one");
  EXPECT_EQ(take(reader), "one");
  EXPECT_EQ(take(reader), "second one");
  EXPECT_EQ(take(reader), "<empty>");
}

TEST(RingReader, StopsAtARecordThatIsNotFinished) {
  FakeRing ring(4096);
  RingReader reader = ring.reader();
  const uint64_t position = ring.reserve("later", BPF_RINGBUF_BUSY_BIT);
  ring.reserve("done");
  EXPECT_EQ(take(reader), "<busy>");
  ring.commit(position, 5);
  EXPECT_EQ(take(reader), "later");
  EXPECT_EQ(take(reader), "done");
}

TEST(RingReader, SkipsDiscardedRecords) {
  FakeRing ring(4096);
  RingReader reader = ring.reader();
  ring.reserve("gone", BPF_RINGBUF_DISCARD_BIT);
  ring.reserve("kept");
  EXPECT_EQ(take(reader), "kept");
  ring.reserve("gone too", BPF_RINGBUF_DISCARD_BIT);
  EXPECT_EQ(take(reader), "<empty>");
}

TEST(RingReader, GoesAroundTheEnd) {
  FakeRing ring(64);
  RingReader reader = ring.reader();
  for (int i = 0; i < 100; ++i) {
    const std::string text = "record number " + std::to_string(i);
    ring.reserve(text);
    EXPECT_EQ(take(reader), text);
  }
}

TEST(RingReader, LeavesOneRecordBehindWhileItPolls) {
  FakeRing ring(4096);
  RingReader reader = ring.reader();
  ring.reserve("one");
  const uint64_t second = ring.reserve("two");
  take(reader);
  take(reader);
  EXPECT_EQ(ring.consumer_, 0u);
  reader.rest();
  EXPECT_EQ(ring.consumer_, second);
  reader.catch_up();
  EXPECT_EQ(ring.consumer_, ring.producer_);
}

TEST(RingReader, LooksAheadWithoutTaking) {
  FakeRing ring(4096);
  RingReader reader = ring.reader();
  ring.reserve("one");
  ring.reserve("two");
  const auto is = [](const char *wanted) {
    return [wanted](const Record &record) { return memcmp(record.data, wanted, 3) == 0; };
  };
  EXPECT_TRUE(reader.any_pending(is("two")));
  EXPECT_FALSE(reader.any_pending(is("six")));
  EXPECT_EQ(take(reader), "one");
}

// The ring is shared memory that only the kernel writes to, but a length is still a length.
TEST(RingReader, NeverHandsOutMoreThanIsMapped) {
  FakeRing ring(64);
  RingReader reader = ring.reader();
  ring.reserve("12345678");
  ring.set_length(0, 0x3fffffff);
  Record record;
  ASSERT_EQ(reader.peek(&record), RingReader::State::kRecord);
  EXPECT_LE(record.size, 128u - 8u);
}

TEST(RingSize, IsAPowerOfTwo) {
  EXPECT_EQ(ring_size(64), 256u << 10);
  EXPECT_EQ(ring_size(65), 512u << 10);
  EXPECT_EQ(ring_size(4096), 16u << 20);
  const size_t automatic = ring_size(0);
  EXPECT_EQ(automatic & (automatic - 1), 0u);
  EXPECT_GE(automatic, 256u << 10);
  EXPECT_LE(automatic, 16u << 20);
}

}  // namespace
}  // namespace awl::runtime
