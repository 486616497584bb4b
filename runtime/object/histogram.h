// Buckets of hist() and lhist(): the layout that programs fill and the printer reads.
//
// hist(n, k) is logarithmic with 2^k buckets per power of two:
//   bucket 0                     n < 0
//   bucket 1 + n                 0 <= n < 2^k, each value of its own
//   bucket 1 + ((m-k+1) << k) + ((n >> (m-k)) & (2^k - 1))   for the rest, m being the index of
//                                n's highest bit: the top k bits below it choose the bucket.
// For k = 0 that is: <0, 0, 1, [2,4), [4,8) …
//
// lhist(n, min, max, step): bucket 0 holds n < min, and bucket 1 + i the values
// [min + i*step, min + (i+1)*step) for the whole steps that fit below max; the last one holds all
// from there on, which is less than max when the steps do not reach it.
#pragma once

#include <bit>
#include <cstdint>

namespace awl::object {

inline constexpr int kMaxHistBits = 5;

// u64 buckets of a hist with `bits` (0..kMaxHistBits).
constexpr uint32_t hist_bucket_count(int64_t bits) {
  return 1 + (static_cast<uint32_t>(65 - bits) << bits);
}

constexpr uint32_t hist_bucket(int64_t value, int64_t bits) {
  if (value < 0) return 0;
  uint64_t n = static_cast<uint64_t>(value);
  if (n < (1ULL << bits)) return 1 + static_cast<uint32_t>(n);
  int64_t msb = 63 - std::countl_zero(n);
  return 1 + static_cast<uint32_t>(((msb - bits + 1) << bits) +
                                   ((n >> (msb - bits)) & ((1ULL << bits) - 1)));
}

// The values of a bucket, both inclusive.
struct BucketRange {
  bool has_min = true, has_max = true;  // false: without bound
  int64_t min = 0;
  int64_t max = 0;
};

constexpr BucketRange hist_range(uint32_t bucket, int64_t bits) {
  if (bucket == 0) return {false, true, INT64_MIN, -1};
  uint32_t index = bucket - 1;
  if (index < (1u << bits)) return {true, true, index, index};
  uint32_t shift = (index >> bits) - 1;  // msb - bits
  uint64_t low = ((1ULL << bits) + (index & ((1u << bits) - 1))) << shift;
  return {true, true, static_cast<int64_t>(low), static_cast<int64_t>(low + (1ULL << shift) - 1)};
}

// min < max, 0 < step; the caller checks.
constexpr uint32_t lhist_bucket_count(int64_t min, int64_t max, int64_t step) {
  return static_cast<uint32_t>((static_cast<uint64_t>(max) - static_cast<uint64_t>(min)) /
                               static_cast<uint64_t>(step)) +
         2;
}

constexpr uint32_t lhist_bucket(int64_t value, int64_t min, int64_t max, int64_t step) {
  if (value < min) return 0;
  uint64_t last = lhist_bucket_count(min, max, step) - 1;
  uint64_t index =
      1 + (static_cast<uint64_t>(value) - static_cast<uint64_t>(min)) / static_cast<uint64_t>(step);
  return static_cast<uint32_t>(index < last ? index : last);
}

constexpr BucketRange lhist_range(uint32_t bucket, int64_t min, int64_t max, int64_t step) {
  if (bucket == 0) return {false, true, INT64_MIN, min > INT64_MIN ? min - 1 : min};
  int64_t low = static_cast<int64_t>(
      static_cast<uint64_t>(min) + static_cast<uint64_t>(bucket - 1) * static_cast<uint64_t>(step));
  if (bucket == lhist_bucket_count(min, max, step) - 1) return {true, false, low, INT64_MAX};
  return {true, true, low, low + (step - 1)};
}

}  // namespace awl::object
