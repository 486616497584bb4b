#include "runtime/print/stack_printer.h"

#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstring>

#include "runtime/object/description.h"
#include "runtime/object/unwind.h"

namespace awl::runtime {
namespace {

// "0x7f12", and "0" for 0, as C's %#x.
void append_address(std::string &out, uint64_t address) {
  if (address == 0) {
    out += '0';
  } else {
    fmt::format_to(std::back_inserter(out), "0x{:x}", address);
  }
}

// Name and offset of a frame, or its address.
void append_frame_name(std::string &out, const Symbol &symbol, uint64_t address) {
  if (symbol.name.empty()) {
    append_address(out, address);
  } else {
    fmt::format_to(std::back_inserter(out), "{}+{}", symbol.name, symbol.offset);
  }
}

// "main+4", or what is known of the place in the source: "main+4@/src/main.c:12". Functions that
// were inlined there are frames of their own, before it. `begin` and `end`: of a line.
void append_frame(std::string &out, const Symbol &symbol, uint64_t address,
                  const std::vector<SourcePlace> &places, const std::string &begin,
                  const std::string &end) {
  const auto append_place = [&out](const SourcePlace &place) {
    fmt::format_to(std::back_inserter(out), "@{}:{}", place.file, place.line);
  };
  for (const SourcePlace &place : places) {
    if (place.function.empty()) continue;
    out.append(begin).append(place.function);
    append_place(place);
    out.append(" [inlined]").append(end);
  }
  out += begin;
  append_frame_name(out, symbol, address);
  if (!places.empty() && places.back().function.empty()) append_place(places.back());
  out += end;
}

template <class Frame>
std::vector<Frame> frames_of(const std::vector<uint8_t> &bytes, uint32_t limit) {
  std::vector<Frame> frames(std::min<size_t>(bytes.size() / sizeof(Frame), limit));
  if (!frames.empty()) std::memcpy(frames.data(), bytes.data(), frames.size() * sizeof(Frame));
  return frames;
}

void append_build_id(std::string &out, const Symbol &symbol, uint64_t address) {
  if (symbol.build_id.empty()) {
    fmt::format_to(std::back_inserter(out), "{:x}\n", address);
  } else {
    fmt::format_to(std::back_inserter(out), "{} 0x{:x}\n", symbol.build_id, symbol.file_offset);
  }
}

// The kernel gives the address alone where it could not look into the file in time: the process'
// mappings may tell.
template <class F>
void append_build_id(std::string &out, const bpf_stack_build_id &frame, F symbol_of) {
  if (frame.status == BPF_STACK_BUILD_ID_VALID) {
    for (unsigned char byte : frame.build_id)
      fmt::format_to(std::back_inserter(out), "{:02x}", byte);
    fmt::format_to(std::back_inserter(out), " 0x{:x}\n", frame.offset);
    return;
  }
  append_build_id(out, symbol_of(frame.ip), frame.ip);
}

}  // namespace

void append_kernel_symbol(std::string &out, const PrintContext &context, uint64_t address) {
  Symbol symbol;
  if (context.symbols) symbol = context.symbols->kernel(address);
  if (symbol.name.empty()) return append_address(out, address);
  out += symbol.name;
}

void append_user_symbol(std::string &out, const PrintContext &context, uint64_t address,
                        uint32_t pid) {
  Symbol symbol;
  if (context.symbols) symbol = context.symbols->user(address, pid);
  if (symbol.name.empty()) return append_address(out, address);
  out += symbol.name;
}

void append_stack(std::string &out, const PrintContext &context, const object::ValueType &type,
                  const StackValue &value, std::string_view indent) {
  out += '\n';
  if (value.id < 0 || !context.stacks) return;
  // An unwound stack has addresses in any mode.
  const bool has_build_ids = type.stack_mode == "build_id" && !type.is_unwound;
  std::string map = type.is_unwound ? object::kUnwoundStacksPrefix
                    : has_build_ids ? object::kBuildIdStacksPrefix
                    : value.is_user ? object::kUserStacksPrefix
                                    : object::kKernelStacksPrefix;
  map += std::to_string(type.stack_limit);
  std::vector<uint8_t> bytes;
  const auto id = static_cast<uint32_t>(value.id);
  const bool is_kept = type.is_unwound ? context.stacks->read_unwound(
                                             map, uint64_t{value.id_above} << 32 | id, bytes)
                                       : context.stacks->read(map, id, bytes);
  if (!is_kept) return;
  const auto symbol_of = [&](uint64_t address) {
    if (!context.symbols) return Symbol();
    return value.is_user ? context.symbols->user(address, value.pid)
                         : context.symbols->kernel(address);
  };
  if (has_build_ids) {
    for (const bpf_stack_build_id &frame : frames_of<bpf_stack_build_id>(bytes, type.stack_limit)) {
      if (frame.status == BPF_STACK_BUILD_ID_EMPTY) break;
      append_build_id(out, frame, symbol_of);
    }
    return;
  }
  std::vector<uint64_t> frames = frames_of<uint64_t>(bytes, type.stack_limit);
  // The kernel fills what it does not need with zeros.
  while (!frames.empty() && frames.back() == 0) frames.pop_back();
  bool is_caller = false;
  for (uint64_t address : frames) {
    if (type.is_unwound && address == object::kUnwindFailure) {
      out += "        <unwind failure>\n";
      continue;
    }
    if (type.stack_mode == "raw") {
      fmt::format_to(std::back_inserter(out), "{:x}\n", address);
      continue;
    }
    const Symbol symbol = symbol_of(address);
    if (type.stack_mode == "build_id") {
      append_build_id(out, symbol, address);
      continue;
    }
    std::vector<SourcePlace> places;
    if (context.sources && value.is_user) {
      places = context.sources->find(symbol, value.pid, is_caller);
    }
    is_caller = true;
    if (type.stack_mode == "perf") {
      const bool is_known = !symbol.module.empty() && !symbol.name.empty();
      const std::string module = is_known ? symbol.module : "[unknown]";
      append_frame(out, symbol, address, places, fmt::format("\t{:x} ", address),
                   value.is_user ? " (" + module + ")\n" : "\n");
    } else {
      append_frame(out, symbol, address, places, std::string(indent), "\n");
    }
  }
}

}  // namespace awl::runtime
