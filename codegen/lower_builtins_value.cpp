// Builtins that are values of the machine, the process and the tracer.
#include "codegen/lower_builtin.h"

namespace awl::codegen {

namespace {

// A helper without arguments, as an i64.
template <Helper kHelper>
llvm::Value *helper(BuiltinCall &call) {
  return call.lowering.normalize(call.emitter().call(kHelper, {}), call.type());
}

llvm::Value *low(BuiltinCall &call, llvm::Value *pair) {
  return call.b().CreateAnd(pair, call.emitter().i64(0xffffffff));
}

bool wants_initial_namespace(BuiltinCall &call) {
  const std::string *word = call.word(0);
  return word && *word == "init";
}

llvm::Value *pid(BuiltinCall &call) {
  return call.b().CreateLShr(call.lowering.pid_tgid(wants_initial_namespace(call)), 32);
}

llvm::Value *tid(BuiltinCall &call) {
  return low(call, call.lowering.pid_tgid(wants_initial_namespace(call)));
}

llvm::Value *pid_namespace(BuiltinCall &call) {
  return call.emitter().load_variable(object::kPidNamespaceIno);
}

llvm::Value *uid(BuiltinCall &call) {
  return low(call, call.emitter().call(Helper::kGetCurrentUidGid, {}));
}

llvm::Value *gid(BuiltinCall &call) {
  return call.b().CreateLShr(call.emitter().call(Helper::kGetCurrentUidGid, {}), 32);
}

// The helper, though two loads from `current` are faster: those need the kernel's BTF, and
// reading it costs more at start-up than most traces save.
llvm::Value *comm(BuiltinCall &call) {
  llvm::Value *memory = call.memory();
  // Linux 5.19 to 6.1 leave what is behind the NUL as it was: one name would be two keys. Memory of
  // a tuple is zero already, that of a record need not be.
  if (!call.to) call.lowering.zero(memory, call.type()->size);
  llvm::Value *size = call.emitter().i32(call.type()->size);
  call.emitter().call(Helper::kGetCurrentComm, {memory, size});
  return memory;
}

llvm::Value *nsecs(BuiltinCall &call) {
  const std::string *clock = call.word(0);
  Helper helper = Helper::kKtimeGetBootNs;
  if (clock && *clock == "monotonic") helper = Helper::kKtimeGetNs;
  if (clock && (*clock == "tai" || *clock == "sw_tai")) helper = Helper::kKtimeGetTaiNs;
  return call.emitter().call(helper, {});
}

llvm::Value *elapsed(BuiltinCall &call) {
  llvm::Value *now = call.emitter().call(Helper::kKtimeGetBootNs, {});
  return call.b().CreateSub(now, call.emitter().load_variable(object::kStartTimeVariable));
}

llvm::Value *ncpus(BuiltinCall &call) {
  return call.emitter().load_variable(object::kCpuCountVariable, 1);
}

llvm::Value *cpid(BuiltinCall &call) {
  return call.emitter().load_variable(object::kChildPidVariable);
}

llvm::Value *has_cpid(BuiltinCall &call) {
  llvm::Value *exists = call.b().CreateICmpNE(cpid(call), call.emitter().i64(0));
  return call.b().CreateZExt(exists, call.b().getInt64Ty());
}

const frontend::ParameterInfo *find_parameter(BuiltinCall &call) {
  for (const frontend::ParameterInfo &parameter : call.lowering.program().parameters) {
    if (!parameter.is_positional && parameter.name == call.text(0)) return &parameter;
  }
  return nullptr;
}

llvm::Value *getopt(BuiltinCall &call) {
  const frontend::ParameterInfo *parameter = find_parameter(call);
  assert(parameter && "every option is registered");
  std::string variable = object::kParameterPrefix + std::to_string(parameter->id);
  if (call.type()->is_string()) {
    return call.emitter().string_variable(variable, object::kParameterStringSize,
                                          parameter->default_string);
  }
  llvm::Value *value =
      call.emitter().load_variable(variable, static_cast<uint64_t>(parameter->default_integer));
  return call.lowering.normalize(value, call.type());
}

llvm::Value *bswap(BuiltinCall &call) {
  uint32_t bits = call.type()->size * 8;
  llvm::Value *value = call.value(0);
  if (bits == 8) return call.lowering.normalize(value, call.type());
  llvm::Value *word = call.b().CreateTrunc(value, call.b().getIntNTy(bits));
  llvm::Value *swapped = call.b().CreateUnaryIntrinsic(llvm::Intrinsic::bswap, word);
  return call.b().CreateZExt(swapped, call.b().getInt64Ty());
}

// Values that are numbers which the printer turns into text.
llvm::Value *number(BuiltinCall &call) {
  return call.lowering.normalize(call.value(0), call.type());
}

// The time; the format is part of the type.
llvm::Value *strftime(BuiltinCall &call) {
  return call.lowering.normalize(call.value(1), call.type());
}

// kptr, uptr: the type alone changes.
llvm::Value *same(BuiltinCall &call) { return call.value(0); }

// Error numbers take the last page of the address space: ERR_PTR(-4095) to ERR_PTR(-1).
llvm::Value *is_err(BuiltinCall &call) {
  constexpr int64_t kLastErrorNumber = 4095;
  llvm::Value *first = call.b().getInt64(static_cast<uint64_t>(-kLastErrorNumber));
  llvm::Value *is_error = call.b().CreateICmpUGE(call.value(0), first);
  return call.b().CreateZExt(is_error, call.b().getInt64Ty());
}

llvm::Value *kaddr(BuiltinCall &call) {
  std::vector<std::string> &symbols = call.emitter().description().kernel_symbols;
  if (std::find(symbols.begin(), symbols.end(), call.text(0)) == symbols.end())
    symbols.push_back(call.text(0));
  return call.emitter().load_variable("awl_kaddr_" + call.text(0));
}

llvm::Value *cgroupid(BuiltinCall &call) {
  std::vector<std::string> &groups = call.emitter().description().cgroups;
  size_t index =
      static_cast<size_t>(std::find(groups.begin(), groups.end(), call.text(0)) - groups.begin());
  if (index == groups.size()) groups.push_back(call.text(0));
  return call.emitter().load_variable("awl_cgroup_" + std::to_string(index));
}

constexpr BuiltinLowering kLowerings[] = {
    {"pid", pid},
    {"tid", tid},
    {"pid_namespace", pid_namespace},
    {"uid", uid},
    {"gid", gid},
    {"username", uid},
    {"comm", comm},
    {"nsecs", nsecs},
    {"elapsed", elapsed},
    {"cpu", helper<Helper::kGetSmpProcessorId>},
    {"ncpus", ncpus},
    {"curtask", helper<Helper::kGetCurrentTask>},
    {"rand", helper<Helper::kGetPrandomU32>},
    {"cgroup", helper<Helper::kGetCurrentCgroupId>},
    {"numaid", helper<Helper::kGetNumaNodeId>},
    {"jiffies", helper<Helper::kJiffies64>},
    {"cpid", cpid},
    {"has_cpid", has_cpid},
    {"getopt", getopt},
    {"bswap", bswap},
    {"strftime", strftime},
    {"cgroup_path", number},
    {"kptr", same},
    {"uptr", same},
    {"is_err", is_err},
    {"kaddr", kaddr},
    {"cgroupid", cgroupid},
};

}  // namespace

std::span<const BuiltinLowering> value_lowerings() { return kLowerings; }

}  // namespace awl::codegen
