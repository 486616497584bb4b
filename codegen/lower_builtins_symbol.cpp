// Builtins that walk stacks, and len(), which counts maps and frames.
#include <linux/bpf.h>

#include <cerrno>

#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

llvm::Value *stack_flags(BuiltinCall &call, bool is_user) {
  uint64_t skipped = call.lowering.own_frames();  // BPF_F_SKIP_FIELD_MASK
  return call.emitter().i64(is_user ? int64_t{BPF_F_USER_STACK} : static_cast<int64_t>(skipped));
}

// The stack's number in its STACK_TRACE map, negative when there is none; kernel stacks as {i32 id,
// u32 0}.
llvm::Value *stack_id(BuiltinCall &call, bool is_user) {
  Emitter &emitter = call.emitter();
  if (call.type()->stack_limit == 0) return emitter.i64(UINT32_MAX);  // none
  llvm::GlobalVariable *map = emitter.stack_map(call.type());
  llvm::Value *flags = stack_flags(call, is_user);
  llvm::Value *id =
      emitter.call(Helper::kGetStackid, {call.lowering.context(), map, flags}, "stack");
  // The table is a hash without chains: another stack may have taken the place.
  llvm::Value *is_lost = call.b().CreateICmpEQ(id, emitter.i64(-EEXIST));
  call.lowering.if_then(is_lost, [&] {
    emitter.count_error(emitter.error_site("get_stackid", call.span(), true), id);
  });
  return call.b().CreateAnd(id, emitter.i64(0xffffffff));
}

llvm::Value *kstack(BuiltinCall &call) {
  llvm::Value *memory = call.memory();
  call.b().CreateAlignedStore(stack_id(call, false), memory, llvm::Align(8));
  return memory;
}

llvm::Value *ustack(BuiltinCall &call) {
  llvm::IRBuilder<> &b = call.b();
  llvm::Value *memory = call.memory();
  llvm::Value *id = stack_id(call, true);
  llvm::Value *tgid = b.CreateLShr(call.lowering.pid_tgid(false), 32);
  b.CreateAlignedStore(b.CreateOr(id, b.CreateShl(tgid, 32)), memory, llvm::Align(8));
  b.CreateAlignedStore(call.emitter().i64(UINT32_MAX), call.lowering.at(memory, 8), llvm::Align(8));
  return memory;
}

// The frames of kstack or ustack written as the argument: the walk itself tells how many.
llvm::Value *stack_length(BuiltinCall &call, TypeRef type) {
  Emitter &emitter = call.emitter();
  bool is_user = type->kind == TypeKind::kUserStack;
  if (type->stack_limit == 0) return emitter.i64(0);
  if (type->is_unwound) return unwound_length(call, type->stack_limit);
  uint32_t bytes = type->stack_limit * 8;
  llvm::Value *memory = call.lowering.temporary(bytes);
  llvm::Value *flags = stack_flags(call, is_user);
  llvm::Value *size =
      emitter.call(Helper::kGetStack, {call.lowering.context(), memory, emitter.i32(bytes), flags});
  llvm::Value *is_failure = call.b().CreateICmpSLT(size, emitter.i64(0));
  return call.b().CreateSelect(is_failure, emitter.i64(0), call.b().CreateLShr(size, 3));
}

llvm::Value *len(BuiltinCall &call) {
  ast::Expr &argument = call.argument(0);
  if (argument.kind == ast::NodeKind::kMap) return call.lowering.map_length(call.map(0));
  return stack_length(call, argument.type);
}

constexpr BuiltinLowering kLowerings[] = {
    {"kstack", kstack},
    {"ustack", ustack},
    {"dw_ustack", unwound_stack},
    {"len", len},
};

}  // namespace

std::span<const BuiltinLowering> symbol_lowerings() { return kLowerings; }

}  // namespace awl::codegen
