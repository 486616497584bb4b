// tracefs: where the kernel describes its tracepoints.
//
// Systems mount it at /sys/kernel/tracing, older ones inside debugfs. Where neither is mounted
// (containers, minimal images) a detached mount of our own serves: nobody else sees it, and it
// goes away with the process. Found on first use and kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

// One field of a tracepoint's record, from its `format` file
// (Documentation/trace/events.rst in the kernel).
struct TracepointField {
  std::string name;
  std::string type_text;  // "const char *", "__data_loc char[]", "char[16]" (array part moved here)
  uint32_t offset = 0;    // bytes from the start of the record
  uint32_t size = 0;      // bytes
  bool is_signed = false;
  bool is_data_loc = false;  // __data_loc or __rel_loc
};
struct TracepointFormat {
  uint32_t id = 0;                      // for perf_event_open
  std::vector<TracepointField> fields;  // without the common_ ones
};

// The directory of tracefs, usable as the start of a path: "/sys/kernel/tracing" or
// "/proc/self/fd/N". Safe to call from several threads.
Result<std::string> tracefs_path();

// The content of a file below it, such as "events/sched/sched_switch/id". At most 1 MiB is read.
Result<std::string> read_tracefs_file(const std::string &relative_path);

// "category:event" of every tracepoint that matches two shell patterns, sorted. Only categories
// that match are looked into.
Result<std::vector<std::string>> list_tracepoints(const std::string &category,
                                                  const std::string &event);

// The number that perf_event_open takes as config of PERF_TYPE_TRACEPOINT.
Result<uint32_t> tracepoint_id(const std::string &category, const std::string &event);
Result<TracepointFormat> read_tracepoint_format(const std::string &category,
                                                const std::string &event);
// The text of a `format` file. Lines that make no sense are left out, and of system calls what the
// kernel has read from user memory for the tracepoint's own record (`__filename_val`, in 7.2): what
// runs at the system call itself is given the arguments.
TracepointFormat parse_tracepoint_format(std::string_view text, std::string_view category = {});

}  // namespace awl
