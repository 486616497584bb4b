// Builtins that make and compare strings and buffers.
#include <algorithm>

#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

// str(address [, length])
llvm::Value *str(BuiltinCall &call) {
  Lowering &lowering = call.lowering;
  ast::Expr &from = call.argument(0);
  if (from.type->is_string()) {  // a parameter
    return lowering.convert(lowering.value(from), from.type, call.type(), call.span(), call.to);
  }
  llvm::Value *address = lowering.value(from);
  // With a length: so many bytes, the NUL among them.
  llvm::Value *limit = call.has(1) ? call.value(1) : nullptr;
  std::optional<int64_t> constant = call.has(1) ? call.constant(1) : std::nullopt;
  if (constant && *constant >= call.type()->size) limit = nullptr;
  return lowering.read_string(address, call.type()->size, limit, call.space(0), call.span(),
                              call.to);
}

// buf(address, length) or buf(array): u32 length, then the bytes.
llvm::Value *buf(BuiltinCall &call) {
  Lowering &lowering = call.lowering;
  llvm::IRBuilder<> &b = call.b();
  uint32_t capacity = call.type()->count;
  llvm::Value *memory = call.memory();
  llvm::Value *length = call.emitter().i64(capacity);
  if (call.has(1)) length = lowering.bounded(call.value(1), capacity);
  if (!lowering.is_record_memory(memory)) lowering.zero(memory, call.type()->size);
  b.CreateAlignedStore(b.CreateTrunc(length, b.getInt32Ty()), memory, llvm::Align(4));
  lowering.raw_bytes(call.argument(0), b.CreateTrunc(length, b.getInt32Ty()), capacity,
                     lowering.at(memory, 4));
  return memory;
}

llvm::Value *strlen(BuiltinCall &call) {
  return call.lowering.string_length(call.value(0), call.argument(0).type->size);
}

// Lengths of strings are known to the frontend by their types.
llvm::Value *strcap(BuiltinCall &call) { return call.emitter().i64(call.argument(0).type->size); }

llvm::Value *strncmp(BuiltinCall &call) {
  uint64_t limit = static_cast<uint64_t>(call.constant(2).value_or(INT64_MAX));
  return call.lowering.compare_strings(call.argument(0), call.argument(1), limit);
}

llvm::Value *memcmp(BuiltinCall &call) {
  ast::Expr &left = call.argument(0), &right = call.argument(1);
  uint32_t size = std::min(left.type->size, right.type->size);
  if (auto limit = call.constant(2))
    size = static_cast<uint32_t>(std::min<uint64_t>(size, static_cast<uint64_t>(*limit)));
  return call.lowering.compare_memory(call.lowering.value(left), call.lowering.value(right), size,
                                      false);
}

llvm::Value *strstr(BuiltinCall &call) {
  ast::Expr &haystack = call.argument(0), &needle = call.argument(1);
  llvm::Value *text = call.lowering.value(haystack);
  return call.lowering.find_string(text, haystack.type->size, call.lowering.value(needle),
                                   needle.type->size);
}

llvm::Value *strcontains(BuiltinCall &call) {
  llvm::Value *found = call.b().CreateICmpSGE(strstr(call), call.emitter().i64(0));
  return call.b().CreateZExt(found, call.b().getInt64Ty());
}

constexpr BuiltinLowering kLowerings[] = {
    {"str", str},         {"buf", buf},       {"strlen", strlen}, {"strcap", strcap},
    {"strncmp", strncmp}, {"memcmp", memcmp}, {"strstr", strstr}, {"strcontains", strcontains},
};

}  // namespace

std::span<const BuiltinLowering> string_lowerings() { return kLowerings; }

}  // namespace awl::codegen
