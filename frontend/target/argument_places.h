// Where the ABI passes a function's arguments and its result, by their types in DWARF: System V for
// x86_64, AAPCS64 for AArch64; for functions of C and of C++ alike.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "frontend/target/target.h"

namespace awl::frontend {

inline constexpr uint32_t kWord = 8;

#if defined(__aarch64__)
// Registers of arguments by DWARF's numbers (AADWARF64), and where arguments in memory begin.
inline constexpr int kArgumentRegisters[] = {0, 1, 2, 3, 4, 5, 6, 7};
inline constexpr uint32_t kFirstOnStack = 0;
#else
// System V ABI for x86_64, figure 3.36: rdi, rsi, rdx, rcx, r8, r9. The return address comes first.
inline constexpr int kArgumentRegisters[] = {5, 4, 1, 2, 8, 9};
inline constexpr uint32_t kFirstOnStack = 8;
#endif
inline constexpr uint32_t kRegisterCount = std::size(kArgumentRegisters);

// The type behind typedefs and qualifiers.
std::optional<Dwarf_Die> strip(std::optional<Dwarf_Die> die);

// One that cannot be had, and why.
UserArgumentPlace nowhere(const std::string &problem);

// Hands out registers and places on the stack, argument by argument.
class ArgumentPlaces {
 public:
  // One that the caller cannot see.
  void take_register() { ++next_register_; }
  UserArgumentPlace next(std::optional<Dwarf_Die> type);

 private:
  UserArgumentPlace words(uint32_t count, uint64_t size);
  UserArgumentPlace on_stack(uint64_t size);
  UserArgumentPlace in_memory(uint64_t size);
  UserArgumentPlace floating(uint64_t size, bool has_quad);
  // One word in a register of either kind, or all of it on the stack.
  UserArgumentPlace mixed(uint64_t size);

  uint32_t next_register_ = 0, next_float_ = 0;
  uint32_t stack_ = kFirstOnStack;
  bool is_aligned_ = false;     // the argument at hand, to 16 bytes
  bool is_lost_ = false;        // nor is it known where any that follows is
  bool is_stack_lost_ = false;  // the same of those on the stack
};

// Passed in memory, but returned in registers of its own.
bool is_returned_in_x87(Dwarf_Die type);

}  // namespace awl::frontend
