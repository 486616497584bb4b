// Builtins that act on the traced process. They need --unsafe.
#include <csignal>
#include <cstring>

#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

using frontend::BuiltinId;

// "SIGTERM" or "TERM"; 0 when there is no such signal.
int signal_number(std::string name) {
  if (name.starts_with("SIG")) name = name.substr(3);
  for (int number = 1; number < NSIG; number++) {
    const char *candidate = sigabbrev_np(number);
    if (candidate && name == candidate) return number;
  }
  return 0;
}

template <Helper kHelper>
llvm::Value *signal(BuiltinCall &call) {
  call.emitter().description().settings.needs_unsafe = true;
  auto *text = ast::as<ast::StringLiteral>(&call.argument(0));
  llvm::Value *number = text ? call.emitter().i64(signal_number(text->value)) : call.value(0);
  llvm::Value *result = call.emitter().call(kHelper, {call.b().CreateTrunc(number, call.b().getInt32Ty())});
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
  return call.b().CreateZExt(call.b().CreateICmpEQ(result, call.emitter().i64(0)), call.b().getInt64Ty());
}

constexpr BuiltinLowering kLowerings[] = {
    {BuiltinId::kSignal, signal<Helper::kSendSignal>},
    {BuiltinId::kSignalThread, signal<Helper::kSendSignalThread>},
    {BuiltinId::kWriteUser, write_user},
};

}  // namespace

std::span<const BuiltinLowering> process_lowerings() { return kLowerings; }

}  // namespace awl::codegen
