// Builtins that look at what the program was given: arguments, registers, the probe.
#include <charconv>

#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

llvm::Value *arg(BuiltinCall &call) {
  uint32_t index = 0;
  std::from_chars(call.name.data() + 3, call.name.data() + call.name.size(), index);
  return call.lowering.context_argument(index, call.span());
}

llvm::Value *retval(BuiltinCall &call) {
  return call.lowering.normalize(call.lowering.context_return(), call.type());
}

llvm::Value *args(BuiltinCall &call) {
  if (!call.type()->is_struct())
    return call.b().CreatePtrToInt(call.lowering.context(), call.b().getInt64Ty());
  return call.lowering.context_fields(call.type(), call.span(), call.to);
}

llvm::Value *duration(BuiltinCall &call) { return call.lowering.entry_duration(); }

llvm::Value *probe(BuiltinCall &call) { return call.lowering.probe_id(); }

llvm::Value *reg(BuiltinCall &call) {
  llvm::Value *value = call.lowering.context_register(call.text(0));
  assert(value && "the check of reg knows the registers");
  return value;
}

// The function that fired: a symbol at the instruction pointer.
llvm::Value *func(BuiltinCall &call) {
  llvm::Value *address = call.lowering.instruction_pointer();
  if (call.type()->kind != TypeKind::kUserSymbol) return address;
  return user_symbol(call, address);
}

llvm::Value *ksym(BuiltinCall &call) { return call.value(0); }

llvm::Value *usym(BuiltinCall &call) { return user_symbol(call, call.value(0)); }

// Whether the program's context is a struct pt_regs, or begins with one.
bool has_registers(ProbeFamily family) {
  switch (family) {
    case ProbeFamily::kKprobe:
    case ProbeFamily::kKretprobe:
    case ProbeFamily::kUprobe:
    case ProbeFamily::kUretprobe:
    case ProbeFamily::kUsdt:
    case ProbeFamily::kProfile:
    case ProbeFamily::kInterval:
    case ProbeFamily::kSoftware:
    case ProbeFamily::kHardware:
    case ProbeFamily::kWatchpoint:
      return true;
    default:
      return false;
  }
}

llvm::Value *uaddr(BuiltinCall &call) { return call.lowering.user_symbol_address(call.text(0)); }

llvm::Value *usermode(BuiltinCall &call) {
  llvm::IRBuilder<> &b = call.b();
  Emitter &emitter = call.emitter();
  Lowering &lowering = call.lowering;
  if (has_registers(lowering.family())) {
    // The low bits of the code segment are the privilege level: 3 in user mode. On arm64 the low
    // four of pstate are the exception level and stack: 0 in user mode.
    llvm::Value *segment = lowering.context_register("cs");
    llvm::Value *state = segment ? segment : lowering.context_register("pstate");
    llvm::Value *level = b.CreateAnd(state, emitter.i64(segment ? 3 : 15));
    llvm::Value *is_user = b.CreateICmpEQ(level, emitter.i64(segment ? 3 : 0));
    return b.CreateZExt(is_user, b.getInt64Ty());
  }
  // What the tracer calls itself stands for the tracer; all others are hooks in the kernel.
  ProbeFamily family = lowering.family();
  bool is_own = family == ProbeFamily::kBegin || family == ProbeFamily::kEnd ||
                family == ProbeFamily::kSelf || family == ProbeFamily::kTest ||
                family == ProbeFamily::kBench;
  return emitter.i64(is_own);
}

constexpr BuiltinLowering kLowerings[] = {
    {"argN", arg},          {"retval", retval},     {"args", args}, {"ctx", args},
    {"probe", probe},       {"probetype", probe},   {"reg", reg},   {"func", func},
    {"duration", duration}, {"entry", args},        {"ksym", ksym}, {"usym", usym},
    {"uaddr", uaddr},       {"usermode", usermode},
};

}  // namespace

llvm::Value *user_symbol(BuiltinCall &call, llvm::Value *address) {
  llvm::IRBuilder<> &b = call.b();
  llvm::Value *memory = call.memory();
  llvm::Value *tgid = b.CreateLShr(call.lowering.pid_tgid(false), 32);
  b.CreateAlignedStore(address, memory, llvm::Align(8));
  // u32 tgid, u32 -1. No probe: one place is one key, whichever probe came there.
  llvm::Value *second = b.CreateOr(tgid, call.emitter().i64(int64_t{UINT32_MAX} << 32));
  b.CreateAlignedStore(second, call.lowering.at(memory, 8), llvm::Align(8));
  return memory;
}

std::span<const BuiltinLowering> context_lowerings() { return kLowerings; }

}  // namespace awl::codegen
