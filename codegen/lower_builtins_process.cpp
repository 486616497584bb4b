// Builtins that act on the traced process. They need --unsafe.
#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

template <Helper kHelper>
llvm::Value *signal(BuiltinCall &call) {
  call.emitter().description().settings.needs_unsafe = true;
  llvm::Value *number = call.b().CreateTrunc(call.value(0), call.b().getInt32Ty());
  llvm::Value *result = call.emitter().call(kHelper, {number});
  call.emitter().count_if_failed(result, "send_signal", call.span(), true);
  return nullptr;
}

// write_user(to, from, length): memory of ours over that of the process.
llvm::Value *write_user(BuiltinCall &call) {
  call.emitter().description().settings.needs_unsafe = true;
  llvm::Value *to = call.value(0);
  llvm::Value *from = call.value(1);
  llvm::Value *size = call.lowering.bounded(call.value(2), call.argument(1).type->size);
  llvm::Value *bytes = call.b().CreateTrunc(size, call.b().getInt32Ty());
  llvm::Value *result = call.emitter().call(Helper::kProbeWriteUser, {to, from, bytes});
  return call.b().CreateZExt(call.b().CreateICmpEQ(result, call.emitter().i64(0)),
                             call.b().getInt64Ty());
}

constexpr BuiltinLowering kLowerings[] = {
    {"signal", signal<Helper::kSendSignal>},
    {"signal_thread", signal<Helper::kSendSignalThread>},
    {"write_user", write_user},
};

}  // namespace

std::span<const BuiltinLowering> process_lowerings() { return kLowerings; }

}  // namespace awl::codegen
