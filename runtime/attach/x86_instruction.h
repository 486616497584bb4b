// How long an x86-64 instruction is: where the next one begins.
//
// A breakpoint in the middle of an instruction changes that instruction instead of stopping before
// the next. Instructions have no marks, so where they begin is known only by going through a
// function from its start. Nothing is decoded here beyond what counts for the length: prefixes, the
// opcode's map, ModRM, SIB, displacement and immediate (Intel SDM volume 2, chapter 2 and appendix
// A; AMD APM volume 3 for XOP and 3DNow!).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace awl::runtime {

// Bytes of the instruction that `code` begins with, 1 to 15. Nothing: it is none in 64-bit mode, it
// is newer than the tables here, or `code` ends before it does.
std::optional<uint32_t> x86_instruction_length(std::span<const uint8_t> code);

// Where instructions begin, next to an offset in a function.
struct InstructionBounds {
  uint64_t before = 0;  // the last one that begins at or before the offset
  uint64_t after = 0;   // where it ends
};

// Goes through a function's code from its first byte. Nothing: the offset is not within `code`, or
// something before it is no instruction that is known here.
std::optional<InstructionBounds> find_x86_instruction(std::span<const uint8_t> code,
                                                      uint64_t offset);

}  // namespace awl::runtime
