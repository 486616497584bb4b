// The clocks that programs and the tracer share.
#pragma once

#include <cstdint>

namespace awl::runtime {

uint64_t boot_time_ns();  // CLOCK_BOOTTIME
// What has to be added to it for the time of day, as ns since 1970.
int64_t realtime_offset_ns();

}  // namespace awl::runtime
