// How a value lies in memory and how it is to be printed.
//
// The one description of layouts that code generation (which makes LLVM types and BTF from it) and
// the runtime (which decodes records, keys and values with it) share. Values are in the byte order
// of the machine that runs the object.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace awl::object {

enum class ValueKind : uint8_t {
  kVoid,
  kBool,          // 1 byte
  kInteger,       // 1, 2, 4, 8 bytes, `is_signed`
  kEnum,          // as kInteger; `enumerators` names values
  kPointer,       // 8 bytes, printed as 0x…
  kString,        // up to `size` bytes, ends at the first NUL; full without NUL: was truncated
  kBuffer,        // u32 length, then up to size - 4 bytes
  kArray,         // `count` × fields[0].type
  kStruct,        // named fields at offsets, bitfields with bit_size
  kTuple,         // fields without names
  kRecord,        // fields with names
  kKernelStack,   // i32 stack id (negative: none), u32 reserved: see kKernelStacksPrefix in
                  // description.h
  kUserStack,     // i32 stack id, u32 pid (tgid), u32 UINT32_MAX, u32 reserved
  kKernelSymbol,  // u64 address
  kUserSymbol,    // u64 address, u32 pid (tgid), u32 probe id
  kInet,          // u32 family (AF_INET, AF_INET6), 16 bytes
  kMacAddress,    // 6 bytes
  kUsername,      // u32 uid
  kTimestamp,     // u64 ns since boot, CLOCK_BOOTTIME unless said; `format` for strftime
  kCgroupPath,    // u64 id; `format` is the filter
  kProbeName,
  kProbeType,  // u32 probe id (index in the runtime's list of attached targets)
  // aggregations, map values only; per-CPU instances are summed by the map reader
  kCount,  // u64
  kSum,    // i64 or u64
  kMin,
  kMax,  // value 8 bytes, u64 is_set
  kAvg,
  kStats,    // i64 or u64 total, u64 count
  kHist,     // u64 buckets[…]: see histogram.h
  kLhist,    // u64 buckets[(max - min) / step + 2]
  kTseries,  // see tseries.h
};

struct ValueType;

struct Field {
  std::string name;
  uint32_t offset = 0;          // bytes
  uint32_t bit_offset = 0;      // bitfields: bits past `offset` (little-endian numbering)
  uint32_t bit_size = 0;        // 0: not a bitfield
  std::vector<ValueType> type;  // exactly one (a vector because the type is incomplete here)
};

struct ValueType {
  ValueKind kind = ValueKind::kVoid;
  uint32_t size = 0;
  bool is_signed = false;
  uint32_t count = 0;                      // kArray: elements; kHist, kLhist: buckets
  std::string name;                        // kStruct: tag; kEnum: name
  std::string format;                      // kTimestamp, kCgroupPath
  std::string stack_mode;                  // stacks: "bpftrace", "perf", "raw", "build_id"
  uint32_t stack_limit = 0;                // stacks: frames at most
  bool is_unwound = false;                 // kUserStack: of dw_ustack, see description.h
  int64_t bits = 0;                        // kHist
  int64_t min = 0, max = 0, step = 0;      // kLhist
  int64_t interval_ns = 0, intervals = 0;  // kTseries
  std::string function;                    // kTseries
  std::vector<Field> fields;               // kStruct, kTuple, kRecord; kArray: the element in [0]
  std::vector<std::pair<int64_t, std::string>> enumerators;
};

}  // namespace awl::object
