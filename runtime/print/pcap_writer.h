// Packets that skboutput() sends, as pcap files (draft-ietf-opsawg-pcap): one file for each path,
// opened with its first packet. Packets begin with IP (link type RAW) and times are in nanoseconds.
//
// A record is a RecordHeader, then u64 time since boot in nanoseconds, u32 bytes that are there,
// u32 bytes that the packet has, and the bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "runtime/object/description.h"

namespace awl::runtime {

class PcapWriter {
 public:
  // Writes a record of at least `event.size` bytes to the file `event.format`. A file that cannot
  // be written is an error once; its further packets are dropped.
  Status write(const object::Event &event, const uint8_t *record, int64_t realtime_offset_ns);

 private:
  static Result<FileDescriptor> open(const std::string &path);

  std::map<std::string, FileDescriptor> files_;  // an empty one: has failed
};

}  // namespace awl::runtime
