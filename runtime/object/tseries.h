// Intervals of tseries(): the layout that programs fill and the printer reads.
//
// A value is a ring of slots, one for each of the last `intervals` intervals. Intervals are counted
// from 1970 on, so that they begin at round times of the clock; interval n lies in slot
// n % intervals. Each CPU has a ring of its own; the reader puts them together.
#pragma once

#include <cstdint>

namespace awl::object {

struct SeriesSlot {
  uint64_t interval;  // its number plus 1; 0: never used
  uint64_t value;     // the last value, the sum (of sum and avg), the least or the greatest
  uint64_t extra;     // avg: how many values; the last value: when, ns; else 0
};

// A value of a per-CPU map has 32 KiB at most.
inline constexpr int64_t kMaxSeriesIntervals = 1024;

constexpr uint32_t series_size(int64_t intervals) {
  return static_cast<uint32_t>(intervals) * static_cast<uint32_t>(sizeof(SeriesSlot));
}

}  // namespace awl::object
