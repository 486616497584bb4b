// Builtins that make and compare strings and buffers.
#include <algorithm>

#include "base/number_names.h"
#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

// str(address [, length])
llvm::Value *str(BuiltinCall &call) {
  Lowering &lowering = call.lowering;
  ast::Expr &from = call.argument(0);
  const std::optional<int64_t> constant = call.has(1) ? call.constant(1) : std::nullopt;
  if (from.type->is_string() && (constant || !call.has(1))) {  // the type has the length
    return lowering.convert(lowering.value(from), from.type, call.type(), call.span(), call.to);
  }
  llvm::Value *address = lowering.value(from);
  // With a length: so many bytes, the NUL among them.
  llvm::Value *limit = call.has(1) ? call.value(1) : nullptr;
  if (constant && *constant >= call.type()->size) limit = nullptr;
  const AddressSpace space = from.type->is_string() ? AddressSpace::kKernel : call.space(0);
  return lowering.read_string(address, call.type()->size, limit, space, call.span(), call.to);
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
  llvm::Value *count = lowering.raw_bytes(call.argument(0), b.CreateTrunc(length, b.getInt32Ty()),
                                          capacity, lowering.at(memory, 4));
  b.CreateAlignedStore(count, memory, llvm::Align(4));
  return memory;
}

llvm::Value *strlen(BuiltinCall &call) {
  return call.lowering.string_length(call.value(0), call.argument(0).type->size);
}

// Sizes are known to the frontend by types; what a pointer points to has become str(pointer).
llvm::Value *strcap(BuiltinCall &call) {
  auto *read = ast::as<ast::Call>(&call.argument(0));
  if (read && read->name == "str" && read->span.end == read->name_span.end) return strlen(call);
  return call.emitter().i64(call.argument(0).type->size);
}

llvm::Value *strncmp(BuiltinCall &call) {
  uint64_t limit = static_cast<uint64_t>(call.constant(2).value_or(INT64_MAX));
  llvm::Value *difference =
      call.lowering.compare_strings(call.argument(0), call.argument(1), limit);
  llvm::Value *differs = call.b().CreateICmpNE(difference, call.emitter().i64(0));
  return call.b().CreateZExt(differs, call.b().getInt64Ty());
}

// The first `size` bytes of a value in memory, or those at an address.
llvm::Value *bytes(BuiltinCall &call, size_t position, uint32_t size, llvm::Value *count) {
  ast::Expr &argument = call.argument(position);
  if (!argument.type->is_pointer()) return call.lowering.value(argument);
  llvm::Value *memory = call.lowering.temporary(size);
  call.lowering.zero(memory, size);
  llvm::Value *wanted = call.emitter().i32(size);
  if (count)
    wanted = call.b().CreateTrunc(call.lowering.bounded(count, size), call.b().getInt32Ty());
  call.emitter().probe_read(memory, wanted, call.lowering.value(argument), call.space(position),
                            call.span());
  return memory;
}

llvm::Value *memcmp(BuiltinCall &call) {
  ast::Expr &left = call.argument(0), &right = call.argument(1);
  frontend::TypeStore &types = *call.lowering.program().types;
  auto most = static_cast<uint32_t>(call.lowering.program().config.max_strlen);
  auto room = [&](TypeRef type) { return type->is_pointer() ? most : types.size_of(type); };
  uint32_t size = std::min(room(left.type), room(right.type));
  std::optional<int64_t> constant = call.constant(2);
  if (constant) {
    size = static_cast<uint32_t>(std::min<uint64_t>(size, static_cast<uint64_t>(*constant)));
  }
  llvm::Value *count = constant ? nullptr : call.value(2);
  llvm::Value *first = bytes(call, 0, size, count);
  return call.lowering.compare_memory(first, bytes(call, 1, size, count), size, false, count);
}

// The second string is put behind the first, in memory that has room for both. A result that does
// not fit is cut as str() cuts: it fills its memory without a NUL.
llvm::Value *str_concat(BuiltinCall &call) {
  Lowering &lowering = call.lowering;
  llvm::IRBuilder<> &b = call.b();
  uint32_t left_size = call.argument(0).type->size, right_size = call.argument(1).type->size;
  llvm::Value *left = call.value(0), *right = call.value(1);
  llvm::Value *both = lowering.temporary(left_size + right_size);
  lowering.zero(lowering.at(both, left_size), right_size);
  lowering.copy(both, left, left_size);
  llvm::Value *length = lowering.string_length(both, left_size);
  // One that was cut has no NUL.
  llvm::Value *is_cut = b.CreateICmpNE(lowering.load_byte(both, length), call.emitter().i64(0));
  length = lowering.bounded(b.CreateAdd(length, b.CreateZExt(is_cut, b.getInt64Ty())), left_size);
  llvm::Value *end = b.CreateGEP(b.getInt8Ty(), lowering.opaque(both), length);
  llvm::Value *from = b.CreatePtrToInt(right, b.getInt64Ty());
  call.emitter().probe_read(end, call.emitter().i32(right_size), from, AddressSpace::kKernel,
                            call.span());
  llvm::Value *memory = call.memory();
  lowering.copy(memory, both, call.type()->size);
  return memory;
}

llvm::Value *strstr(BuiltinCall &call) {
  ast::Expr &haystack = call.argument(0), &needle = call.argument(1);
  llvm::Value *text = call.lowering.value(haystack);
  return call.lowering.find_string(text, haystack.type->size, call.lowering.value(needle),
                                   needle.type->size);
}

// The text of a number: a row of a table in .rodata, the last one for all numbers beyond. What the
// script says itself is a literal.
llvm::Value *text_of_number(BuiltinCall &call, llvm::Value *number, size_t count,
                            std::string (*text)(int32_t)) {
  const uint32_t size = call.type()->size;
  std::string rows;
  for (size_t i = 0; i <= count; ++i) {
    rows += text(static_cast<int32_t>(i));
    rows.resize((i + 1) * size);
  }
  llvm::IRBuilder<> &b = call.b();
  if (auto *constant = llvm::dyn_cast<llvm::ConstantInt>(number)) {
    const uint64_t row = std::min<uint64_t>(constant->getZExtValue(), count);
    return call.emitter().rodata_bytes(rows.substr(row * size, size), size);
  }
  llvm::Value *row = call.lowering.bounded(number, count);
  llvm::Value *table = call.lowering.opaque(call.emitter().rodata_bytes(rows, rows.size()));
  llvm::Value *found = b.CreateGEP(b.getInt8Ty(), table, b.CreateMul(row, b.getInt64(size)));
  call.lowering.note_aligned(found);
  return found;
}

// The argument as C's int, which all three functions take.
llvm::Value *as_int(BuiltinCall &call) {
  llvm::Value *word = call.b().CreateTrunc(call.value(0), call.b().getInt32Ty());
  return call.b().CreateSExt(word, call.b().getInt64Ty());
}

// Helpers and system calls return errors as negative numbers.
llvm::Value *strerror(BuiltinCall &call) {
  llvm::Value *error = as_int(call);
  llvm::Value *is_negative = call.b().CreateICmpSLT(error, call.b().getInt64(0));
  llvm::Value *positive = call.b().CreateSelect(is_negative, call.b().CreateNeg(error), error);
  return text_of_number(call, positive, kErrorNumbers, error_text);
}

llvm::Value *signal_name(BuiltinCall &call) {
  return text_of_number(call, as_int(call), kSignalNumbers, signal_text);
}

llvm::Value *syscall_name(BuiltinCall &call) {
  return text_of_number(call, as_int(call), kSyscallNumbers, syscall_text);
}

constexpr BuiltinLowering kLowerings[] = {
    {"str", str},
    {"buf", buf},
    {"strlen", strlen},
    {"strcap", strcap},
    {"str_concat", str_concat},
    {"strncmp", strncmp},
    {"memcmp", memcmp},
    {"strstr", strstr},
    {"strerror", strerror},
    {"signal_name", signal_name},
    {"syscall_name", syscall_name},
};

}  // namespace

std::span<const BuiltinLowering> string_lowerings() { return kLowerings; }

}  // namespace awl::codegen
