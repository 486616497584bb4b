// Builtins that act on the traced process or on what is traced; most need --unsafe.
#include <algorithm>

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

void note_kfunc(BuiltinCall &call) {
  std::vector<std::string> &kfuncs = call.emitter().description().kfuncs;
  if (std::find(kfuncs.begin(), kfuncs.end(), call.text(0)) == kfuncs.end()) {
    kfuncs.push_back(call.text(0));
  }
}

llvm::Value *is_set(BuiltinCall &call, const std::string &variable) {
  llvm::Value *value = call.emitter().load_variable(variable);
  llvm::Value *flag = call.b().CreateICmpNE(value, call.emitter().i64(0));
  return call.b().CreateZExt(flag, call.b().getInt64Ty());
}

// The traced function is skipped, and returns this.
llvm::Value *override(BuiltinCall &call) {
  object::Description &description = call.emitter().description();
  description.settings.needs_unsafe = true;
  description.programs.at(call.emitter().program_index()).is_override = true;
  llvm::Value *result =
      call.emitter().call(Helper::kOverrideReturn, {call.lowering.context(), call.value(0)});
  call.emitter().count_if_failed(result, "override_return", call.span(), true);
  return nullptr;
}

// unwatch(address): the runtime takes the watchpoint away.
llvm::Value *unwatch(BuiltinCall &call) {
  call.lowering.emit_control(object::EventKind::kUnwatch, nullptr, {call.value(0)}, call.span());
  return nullptr;
}

// Variables that the loader sets when it has asked the kernel.
llvm::Value *kfunc_exist(BuiltinCall &call) {
  note_kfunc(call);
  return is_set(call, "awl_kfunc_" + call.text(0));
}

llvm::Value *kfunc_allowed(BuiltinCall &call) {
  note_kfunc(call);
  const object::Description &description = call.emitter().description();
  return is_set(call, "awl_kfunc_" + call.text(0) + "_" +
                          description.programs.at(call.emitter().program_index()).name);
}

llvm::Value *path(BuiltinCall &call) {
  return call.lowering.path_text(call.argument(0), call.type(), call.span(), call.to);
}

constexpr BuiltinLowering kLowerings[] = {
    {"path", path},
    {"signal", signal<Helper::kSendSignal>},
    {"kfunc_allowed", kfunc_allowed},
    {"kfunc_exist", kfunc_exist},
    {"override", override},
    {"unwatch", unwatch},
    {"signal_thread", signal<Helper::kSendSignalThread>},
    {"write_user", write_user},
};

}  // namespace

std::span<const BuiltinLowering> process_lowerings() { return kLowerings; }

}  // namespace awl::codegen
