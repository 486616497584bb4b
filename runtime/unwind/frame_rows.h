// What the instructions of .eh_frame say of one function: rows of rules to unwind by.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/object/unwind.h"

namespace awl::runtime {

inline constexpr uint64_t kReturnAddress = 16;  // DWARF's number of that register on x86-64

// What functions have in common (a CIE).
struct CommonFrame {
  uint64_t code_alignment = 1;
  int64_t data_alignment = 1;
  uint8_t encoding = 0;
  bool has_augmentation = false, is_signal = false;
  std::string_view instructions;
  bool is_usable = false;
};

// Runs the instructions of a function from `start` to `end`, and adds a row where the rules change.
// `steps_left`: of the whole file; where they are used up nothing is known.
void add_frame_rows(const CommonFrame &common, uint64_t start, uint64_t end,
                    std::string_view instructions, uint64_t &steps_left,
                    std::vector<object::UnwindRow> &rows);

}  // namespace awl::runtime
