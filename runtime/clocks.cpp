#include "runtime/clocks.h"

#include <ctime>

namespace awl::runtime {
namespace {

int64_t now_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

}  // namespace

uint64_t boot_time_ns() { return static_cast<uint64_t>(now_ns(CLOCK_BOOTTIME)); }

int64_t realtime_offset_ns() {
  int64_t boot = now_ns(CLOCK_BOOTTIME);
  return now_ns(CLOCK_REALTIME) - boot;
}

}  // namespace awl::runtime
