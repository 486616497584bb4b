// The map reader against maps of the running kernel; skipped where one may not make any.
#include "runtime/print/map_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace awl::runtime {
namespace {

using object::MapType;
using object::ValueKind;

class MapReaderTest : public testing::Test {
 protected:
  ~MapReaderTest() override {
    if (fd_ >= 0) close(fd_);
  }

  // A map of 8-byte keys, or a scalar; values of `size` bytes.
  void make(MapType type, bpf_map_type kernel_type, ValueKind kind, uint32_t size, bool is_scalar,
            uint32_t entries) {
    map_.name = "@m";
    map_.type = type;
    map_.is_scalar = is_scalar;
    map_.value.kind = kind;
    map_.value.size = size;
    map_.value.is_signed = true;
    map_.value.count = size / 8;
    map_.key_size = is_scalar ? 4 : 8;
    map_.value_size = is_scalar ? size + 8 : size;
    if (!is_scalar) {
      map_.key.kind = ValueKind::kInteger;
      map_.key.size = 8;
    }
    fd_ = bpf_map_create(kernel_type, "awl_test", map_.key_size, map_.value_size, entries, nullptr);
    if (fd_ < 0) GTEST_SKIP() << "cannot make maps: " << std::strerror(errno);
  }
  size_t cpus() const { return static_cast<size_t>(libbpf_num_possible_cpus()); }

  object::Map map_;
  int fd_ = -1;
};

TEST_F(MapReaderTest, Hash) {
  make(MapType::kHash, BPF_MAP_TYPE_HASH, ValueKind::kInteger, 8, false, 5000);
  if (fd_ < 0) return;
  MapReader reader(map_, fd_);
  EXPECT_EQ(reader.read()->count, 0u);
  for (uint64_t key = 0; key < 5000; ++key) {
    uint64_t value = key * 3;
    ASSERT_EQ(bpf_map_update_elem(fd_, &key, &value, BPF_ANY), 0);
  }
  auto snapshot = reader.read();
  ASSERT_TRUE(snapshot);
  ASSERT_EQ(snapshot->count, 5000u);
  std::vector<bool> is_seen(5000);
  for (size_t i = 0; i < snapshot->count; ++i) {
    uint64_t key, value;
    std::memcpy(&key, snapshot->key(i), 8);
    std::memcpy(&value, snapshot->value(i), 8);
    ASSERT_LT(key, 5000u);
    EXPECT_EQ(value, key * 3);
    is_seen[key] = true;
  }
  EXPECT_EQ(std::count(is_seen.begin(), is_seen.end(), true), 5000);
  ASSERT_TRUE(reader.zero());
  snapshot = reader.read();
  EXPECT_EQ(snapshot->count, 5000u);
  EXPECT_TRUE(std::all_of(snapshot->values.begin(), snapshot->values.end(),
                          [](uint8_t byte) { return byte == 0; }));
  ASSERT_TRUE(reader.clear());
  EXPECT_EQ(reader.read()->count, 0u);
}

TEST_F(MapReaderTest, PerCpuHashIsCombined) {
  make(MapType::kPercpuHash, BPF_MAP_TYPE_PERCPU_HASH, ValueKind::kStats, 16, false, 100);
  if (fd_ < 0) return;
  std::vector<int64_t> values;
  for (size_t cpu = 0; cpu < cpus(); ++cpu) {
    values.push_back(-5);
    values.push_back(2);
  }
  uint64_t key = 77;
  ASSERT_EQ(bpf_map_update_elem(fd_, &key, values.data(), BPF_ANY), 0);
  auto snapshot = MapReader(map_, fd_).read();
  ASSERT_TRUE(snapshot);
  ASSERT_EQ(snapshot->count, 1u);
  int64_t sum[2];
  std::memcpy(sum, snapshot->value(0), 16);
  EXPECT_EQ(sum[0], -5 * static_cast<int64_t>(cpus()));
  EXPECT_EQ(sum[1], 2 * static_cast<int64_t>(cpus()));
}

TEST_F(MapReaderTest, ScalarsHaveAFlag) {
  make(MapType::kPercpuArray, BPF_MAP_TYPE_PERCPU_ARRAY, ValueKind::kCount, 8, true, 1);
  if (fd_ < 0) return;
  MapReader reader(map_, fd_);
  EXPECT_EQ(reader.read()->count, 0u);
  EXPECT_TRUE(reader.zero());
  EXPECT_EQ(reader.read()->count, 0u);
  std::vector<uint64_t> values(cpus() * 2);
  values[0] = 5;
  values[1] = 1;
  uint32_t key = 0;
  ASSERT_EQ(bpf_map_update_elem(fd_, &key, values.data(), BPF_ANY), 0);
  auto snapshot = reader.read();
  ASSERT_EQ(snapshot->count, 1u);
  EXPECT_EQ(snapshot->value_size, 8u);
  EXPECT_EQ(snapshot->value(0)[0], 5);
  EXPECT_TRUE(reader.zero());
  snapshot = reader.read();
  ASSERT_EQ(snapshot->count, 1u);
  EXPECT_EQ(snapshot->value(0)[0], 0);
  EXPECT_TRUE(reader.clear());
  EXPECT_EQ(reader.read()->count, 0u);
}

TEST_F(MapReaderTest, BucketsArePutTogether) {
  make(MapType::kPercpuHash, BPF_MAP_TYPE_PERCPU_HASH, ValueKind::kHist, 8 * 66, false, 100);
  if (fd_ < 0) return;
  close(fd_);
  map_.is_bucket_keyed = true;
  map_.key_size = 16;
  map_.value_size = 8;
  fd_ = bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, "awl_test", 16, 8, 100, nullptr);
  ASSERT_GE(fd_, 0);
  std::vector<uint64_t> ones(cpus(), 1);
  for (uint64_t key : {uint64_t{1}, uint64_t{2}}) {
    for (uint64_t bucket : {uint64_t{3}, uint64_t{65}, uint64_t{1000}}) {
      uint64_t both[2] = {key, bucket};
      ASSERT_EQ(bpf_map_update_elem(fd_, both, ones.data(), BPF_ANY), 0);
    }
  }
  auto snapshot = MapReader(map_, fd_).read();
  ASSERT_TRUE(snapshot);
  ASSERT_EQ(snapshot->count, 2u);
  EXPECT_EQ(snapshot->key_size, 8u);
  for (size_t i = 0; i < 2; ++i) {
    uint64_t buckets[66];
    std::memcpy(buckets, snapshot->value(i), sizeof buckets);
    EXPECT_EQ(buckets[3], cpus());
    EXPECT_EQ(buckets[65], cpus());
    EXPECT_EQ(buckets[4], 0u);
  }
}

TEST_F(MapReaderTest, FailuresAreErrors) {
  map_.name = "@m";
  map_.key_size = 8;
  map_.value_size = 8;
  map_.value.size = 8;
  EXPECT_FALSE(MapReader(map_, -1).read());
  EXPECT_FALSE(MapReader(map_, -1).clear());
  std::vector<uint8_t> value;
  EXPECT_FALSE(KernelStackSource([](const std::string &) { return -1; }).read("x", 0, value));
}

}  // namespace
}  // namespace awl::runtime
