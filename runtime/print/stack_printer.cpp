#include "runtime/print/stack_printer.h"

#include <fmt/format.h>

#include <cstring>

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

std::string probe_binary(const PrintContext &context, uint32_t probe) {
  if (!context.probes || probe >= context.probes->size()) return {};
  return (*context.probes)[probe].binary;
}

// Name and offset of a frame, or its address.
void append_frame_name(std::string &out, const Symbol &symbol, uint64_t address) {
  if (symbol.name.empty()) {
    append_address(out, address);
  } else {
    fmt::format_to(std::back_inserter(out), "{}+{}", symbol.name, symbol.offset);
  }
}

}  // namespace

void append_kernel_symbol(std::string &out, const PrintContext &context, uint64_t address) {
  Symbol symbol;
  if (context.symbols) symbol = context.symbols->kernel(address);
  if (symbol.name.empty()) return append_address(out, address);
  out += symbol.name;
}

void append_user_symbol(std::string &out, const PrintContext &context, uint64_t address,
                        uint32_t pid, uint32_t probe) {
  Symbol symbol;
  if (context.symbols) symbol = context.symbols->user(address, pid, probe_binary(context, probe));
  if (symbol.name.empty()) return append_address(out, address);
  out += symbol.name;
}

void append_stack(std::string &out, const PrintContext &context, const object::ValueType &type,
                  const StackValue &value, std::string_view indent) {
  out += '\n';
  if (value.id < 0 || !context.stacks) return;
  std::string map = fmt::format("awl_{}stacks_{}", value.is_user ? 'u' : 'k', type.stack_limit);
  std::vector<uint8_t> bytes;
  if (!context.stacks->read(map, static_cast<uint32_t>(value.id), bytes)) return;
  std::vector<uint64_t> frames(std::min<size_t>(bytes.size() / 8, type.stack_limit));
  if (frames.empty()) return;
  std::memcpy(frames.data(), bytes.data(), frames.size() * 8);
  // The kernel fills what it does not need with zeros.
  while (!frames.empty() && frames.back() == 0) frames.pop_back();

  std::string binary = value.is_user ? probe_binary(context, value.probe) : std::string();
  for (uint64_t address : frames) {
    if (type.stack_mode == "raw") {
      fmt::format_to(std::back_inserter(out), "{:x}\n", address);
      continue;
    }
    Symbol symbol;
    if (context.symbols) {
      symbol = value.is_user ? context.symbols->user(address, value.pid, binary)
                             : context.symbols->kernel(address);
    }
    if (type.stack_mode == "build_id") {
      if (symbol.build_id.empty()) {
        fmt::format_to(std::back_inserter(out), "{:x}\n", address);
      } else {
        fmt::format_to(std::back_inserter(out), "{} 0x{:x}\n", symbol.build_id, symbol.file_offset);
      }
      continue;
    }
    if (type.stack_mode == "perf") {
      fmt::format_to(std::back_inserter(out), "\t{:x} ", address);
      append_frame_name(out, symbol, address);
      if (value.is_user)
        out.append(" (")
            .append(symbol.module.empty() || symbol.name.empty() ? "[unknown]" : symbol.module)
            .append(")");
    } else {
      out += indent;
      append_frame_name(out, symbol, address);
    }
    out += '\n';
  }
}

}  // namespace awl::runtime
