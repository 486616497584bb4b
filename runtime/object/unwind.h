// How stacks of programs without frame pointers are unwound: what the runtime writes into maps and
// dw_ustack reads in the kernel. For x86-64.
//
// The kernel cannot read .eh_frame; so the runtime turns the rules of each mapped file into a table
// of rows, sorted by address, one row per place from which on the rules are others. A program looks
// up the file that an address lies in, in that file's table the row, and by the row's rule where the
// caller's registers are on the stack. Only rsp, rbp and rip are followed, which is what compilers
// make their rules of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace awl::object {

inline constexpr const char *kUnwindProcessesMap = "awl_unwind_processes";  // HASH u32 tgid → UnwindProcess
inline constexpr const char *kUnwindTablesMap = "awl_unwind_tables";  // ARRAY_OF_MAPS: ARRAYs of packed UnwindRow
inline constexpr const char *kUnwoundStacksPrefix = "awl_dstacks_";  // + limit. HASH u64 → u64 frames[limit]; the key is
                                                                     // the stack id and, above it, UserStack's last u32
inline constexpr uint32_t kMaxUnwindProcesses = 64;
inline constexpr uint32_t kMaxUnwindTables = 1024;
inline constexpr uint32_t kMaxUnwindMappings = 256;  // a power of two
inline constexpr uint32_t kMaxUnwindRows = 1u << 24;
// What stands in the place of a caller that could not be found.
inline constexpr uint64_t kUnwindFailure = ~uint64_t{0};

struct UnwindMapping {
  uint64_t start, end;   // addresses in the process
  uint64_t bias;         // address in the process - address in the file
  uint32_t table, rows;  // index in kUnwindTablesMap, number of its rows
};

struct UnwindProcess {
  uint64_t count;
  UnwindMapping mappings[kMaxUnwindMappings];  // by address
};

enum class UnwindRule : uint8_t {
  kUnknown,       // nothing is known here, or a rule that we do not follow
  kOutermost,     // there is no caller
  kStackPointer,  // CFA = rsp + offset
  kFramePointer,  // CFA = rbp + offset
  kPlt,           // CFA = rsp + 8 + ((rip & 15) >= offset ? 8 : 0): entries of .plt
  kRealigned,     // CFA = *(rbp + offset), the caller's rbp at *rbp: main() that aligns its stack
  kSignal,        // the kernel's struct rt_sigframe lies at rsp
};

// In an u64: address 0…31, rule 32…39, frame pointer 40…47, offset 48…63.
struct UnwindRow {
  uint32_t address = 0;                      // in the file
  UnwindRule rule = UnwindRule::kUnknown;
  int8_t frame_pointer = 0;  // where the caller's rbp is: words from the CFA; 0: still in rbp
  int16_t offset = 0;        // words; kPlt: bytes
};

constexpr uint64_t pack(const UnwindRow &row) {
  return row.address | uint64_t{static_cast<uint8_t>(row.rule)} << 32 |
         uint64_t{static_cast<uint8_t>(row.frame_pointer)} << 40 |
         uint64_t{static_cast<uint16_t>(row.offset)} << 48;
}

}  // namespace awl::object
