// Stacks and symbols as text.
//
// A stack begins with a newline and has a line per frame, in one of the modes: "bpftrace"
// (indented names), "perf" (address, name, file), "raw" (address), "build_id" (build id of the
// file and offset in it). An empty one is the newline alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/object/value_type.h"
#include "runtime/print/value_printer.h"

namespace awl::runtime {

struct StackValue {
  bool is_user = false;
  int32_t id = -1;        // negative: no stack
  uint32_t id_above = 0;  // the upper half of the id, of dw_ustack
  uint32_t pid = 0;       // user stacks
};

// `indent` stands before the frames of mode "bpftrace".
void append_stack(std::string &out, const PrintContext &context, const object::ValueType &type,
                  const StackValue &value, std::string_view indent);

// The symbol's name alone; the address where there is none.
void append_kernel_symbol(std::string &out, const PrintContext &context, uint64_t address);
void append_user_symbol(std::string &out, const PrintContext &context, uint64_t address,
                        uint32_t pid);

}  // namespace awl::runtime
