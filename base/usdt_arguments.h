// Where the arguments of a static user probe are: the text in its note, read.
//
// An argument is "SIZE@OPERAND" with an assembler operand: a constant, a register or a part of
// one, or memory at a base register, an index register times a scale, an offset, or a symbol. The
// size is negative for signed integers. All of them have one form here,
//     value = base + (index << scale) + offset, or what lies there in memory,
// so that a program made beforehand can be told by a handful of numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace awl {

enum class UsdtMachine { kX86_64, kAarch64 };

#if defined(__aarch64__)
inline constexpr UsdtMachine kUsdtMachine = UsdtMachine::kAarch64;
#else
inline constexpr UsdtMachine kUsdtMachine = UsdtMachine::kX86_64;
#endif

inline constexpr uint32_t kMaxUsdtArguments = 12;  // <sys/sdt.h>

struct UsdtArgument {
  // Offsets in bytes of registers in the kernel's bpf_user_pt_regs_t (arch/*/include/uapi/asm).
  std::optional<uint16_t> base, index;
  uint8_t scale = 0;   // bits that the index is shifted by
  int64_t offset = 0;  // the value of a constant
  bool is_memory = false;
  uint8_t size = 8;  // bytes: 1, 2, 4 or 8
  bool is_signed = false;
  uint8_t first_bit = 0;  // of the value in its register: 8 for %ah
  std::string problem;    // not empty: why it cannot be read ("%xmm0 is a floating point register")

  bool operator==(const UsdtArgument &) const = default;
};

// The address of a symbol of the binary, relative to the place of the probe; null: no such symbol.
using UsdtSymbolLookup = std::function<std::optional<int64_t>(const std::string &name)>;

// Never fails as a whole: an argument that is not understood has a `problem`.
std::vector<UsdtArgument> parse_usdt_arguments(std::string_view text, UsdtMachine machine,
                                               const UsdtSymbolLookup &find_symbol);

}  // namespace awl
