// What a program is given: its context, per family and architecture.
#include <llvm/IR/Constants.h>

#include <cassert>

#include "codegen/lower.h"

namespace awl::codegen {

namespace {

// Where the registers of the traced code lie in the context of uprobes, kprobes and perf events:
// struct pt_regs as the kernel gives it to user space (bpf_user_pt_regs_t, which is ABI).
struct Register {
  const char *name;
  uint32_t offset;
};

#if defined(__x86_64__)
// arch/x86/include/uapi/asm/ptrace.h
constexpr Register kRegisters[] = {
    {"r15", 0},     {"r14", 8},  {"r13", 16}, {"r12", 24},      {"bp", 32},  {"bx", 40},
    {"r11", 48},    {"r10", 56}, {"r9", 64},  {"r8", 72},       {"ax", 80},  {"cx", 88},
    {"dx", 96},     {"si", 104}, {"di", 112}, {"orig_ax", 120}, {"ip", 128}, {"cs", 136},
    {"flags", 144}, {"sp", 152}, {"ss", 160},
};
constexpr const char *kArguments[] = {"di", "si", "dx", "cx", "r8", "r9"};
constexpr const char *kSyscallArguments[] = {"di", "si", "dx", "r10", "r8", "r9"};
constexpr const char *kReturnValue = "ax";
constexpr const char *kInstructionPointer = "ip";
constexpr const char *kStackPointer = "sp";
constexpr const char *kSyscallNumber = "orig_ax";
constexpr uint32_t kCompatSyscall = 2;  // TS_COMPAT, arch/x86/include/asm/thread_info.h
#elif defined(__aarch64__)
// arch/arm64/include/uapi/asm/ptrace.h: struct user_pt_regs
constexpr Register kRegisters[] = {
    {"r0", 0},    {"r1", 8},    {"r2", 16},   {"r3", 24},      {"r4", 32},       {"r5", 40},
    {"r6", 48},   {"r7", 56},   {"r8", 64},   {"r9", 72},      {"r10", 80},      {"r11", 88},
    {"r12", 96},  {"r13", 104}, {"r14", 112}, {"r15", 120},    {"r16", 128},     {"r17", 136},
    {"r18", 144}, {"r19", 152}, {"r20", 160}, {"r21", 168},    {"r22", 176},     {"r23", 184},
    {"r24", 192}, {"r25", 200}, {"r26", 208}, {"r27", 216},    {"r28", 224},     {"r29", 232},
    {"r30", 240}, {"sp", 248},  {"pc", 256},  {"pstate", 264}, {"orig_x0", 272}, {"syscallno", 280},
};
constexpr const char *kArguments[] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"};
constexpr const char *kSyscallArguments[] = {"orig_x0", "r1", "r2", "r3", "r4", "r5"};
constexpr const char *kReturnValue = "r0";
constexpr const char *kInstructionPointer = "pc";
constexpr const char *kStackPointer = "sp";
constexpr const char *kSyscallNumber = "syscallno";
#else
#error "registers of this architecture are not known"
#endif

const Register *find_register(std::string_view name) {
  for (const Register &candidate : kRegisters) {
    if (name == candidate.name) return &candidate;
  }
  return nullptr;
}

}  // namespace

llvm::Value *Lowering::context_u64(uint32_t index) {
  return b().CreateAlignedLoad(b().getInt64Ty(), at(ctx_, uint64_t{index} * 8), llvm::Align(8));
}

llvm::Value *Lowering::context_register(const std::string &name) {
  const Register *found = find_register(name);
  if (!found) return nullptr;
  return b().CreateAlignedLoad(b().getInt64Ty(), at(ctx_, found->offset), llvm::Align(8));
}

// A register of the traced code in the kernel's own struct pt_regs, to which the programs of
// syscalls have a pointer that the verifier lets them follow.
llvm::Value *Lowering::syscall_register(const char *name) {
  llvm::Value *registers = pointer(context_u64(0));
  TypeRef type = program_.types->find_struct("pt_regs", false);
  frontend::MemberPath path;
  bool is_known = type && find_member(*program_.types, type->struct_def, name, &path);
  llvm::Value *from =
      is_known ? field_address(registers, path) : at(registers, find_register(name)->offset);
  return b().CreateAlignedLoad(b().getInt64Ty(), from, llvm::Align(8));
}

// Where the argument is differs from place to place of the probe: the loader tells by patching
// (object::kUsdtFields), and the verifier drops what does not apply.
llvm::Value *Lowering::usdt_argument(uint32_t index, Span span) {
  auto constant = [&](const char *field) { return e_.usdt_constant(field, index); };
  auto masked = [&](const char *field, const char *mask) {
    return b().CreateAnd(e_.load_usdt_register(field, index, ctx_), constant(mask));
  };
  llvm::Value *low = b().CreateAnd(constant("low"), e_.i64(0xffffffff));
  llvm::Value *value = b().CreateOr(b().CreateShl(constant("high"), 32), low);
  value = b().CreateAdd(value, masked("base", "base_mask"));
  value = b().CreateAdd(value, b().CreateShl(masked("index", "index_mask"), constant("scale")));
  llvm::Value *is_memory = b().CreateICmpNE(constant("memory"), e_.i64(0));
  value = choose(
      is_memory,
      [&]() -> llvm::Value * {
        llvm::Value *slot = temporary(8);
        b().CreateAlignedStore(e_.i64(0), slot, llvm::Align(8));
        e_.probe_read(slot, constant("size"), value, AddressSpace::kUser, span);
        return b().CreateAlignedLoad(b().getInt64Ty(), slot, llvm::Align(8));
      },
      [&] { return b().CreateLShr(value, constant("first_bit")); });
  llvm::Value *shift = constant("shift");
  llvm::Value *shifted = b().CreateShl(value, shift);
  return choose(
      b().CreateICmpNE(constant("signed"), e_.i64(0)),
      [&] { return b().CreateAShr(shifted, shift); },
      [&] { return b().CreateLShr(shifted, shift); });
}

// An argument of a user function by name: where debug information and ABI say that it is.
llvm::Value *Lowering::user_argument(uint32_t index, TypeRef type, Span span, llvm::Value *to) {
  using Kind = frontend::UserArgumentPlace::Kind;
  const frontend::UserArgumentPlace &place = info_->probes.front().argument_places.at(index);
  switch (place.kind) {
    case Kind::kStack: {
      llvm::Value *stack = context_register(kStackPointer);
      llvm::Value *address = b().CreateAdd(stack, e_.i64(place.offset));
      return read(dereference(address, type, AddressSpace::kUser), span, to);
    }
    case Kind::kAddress: {
      llvm::Value *address = context_register(kArguments[place.number]);
      return read(dereference(address, type, AddressSpace::kUser), span, to);
    }
    case Kind::kRegister:
      break;
    case Kind::kNone:
      return undefined(type, to);
  }
  if (!is_in_memory(type)) return normalize(context_register(kArguments[place.number]), type);
  // A struct of at most two words.
  constexpr uint32_t kWord = 8;
  uint32_t size = program_.types->size_of(type);
  llvm::Value *words = temporary(2 * kWord);
  for (uint32_t i = 0; i * kWord < size; i++) {
    llvm::Value *word = context_register(kArguments[place.number + i]);
    b().CreateAlignedStore(word, at(words, i * kWord), llvm::Align(kWord));
  }
  if (!to) return words;
  copy(to, words, size);
  return to;
}

// A symbol lies as far from the traced place as in the file, wherever that was loaded to. On
// return from a function the place is its entry, which kernels before 6.7 do not tell: then the
// address is the file's own, right for what is not position independent.
llvm::Value *Lowering::user_symbol_address(const std::string &name) {
  auto join = [&](object::UserSymbolPart low, object::UserSymbolPart high) {
    llvm::Value *lower = b().CreateAnd(e_.user_symbol_part(name, low), e_.i64(0xffffffff));
    return b().CreateOr(b().CreateShl(e_.user_symbol_part(name, high), 32), lower);
  };
  llvm::Value *distance = join(object::kDistanceLow, object::kDistanceHigh);
  if (family() != ProbeFamily::kUretprobe) return b().CreateAdd(instruction_pointer(), distance);
  auto absolute = [&]() -> llvm::Value * {
    return join(object::kAddressLow, object::kAddressHigh);
  };
  return choose(
      e_.core_helper_exists(Helper::kGetFuncIp),
      [&] {
        llvm::Value *entry = e_.call(Helper::kGetFuncIp, {ctx_});
        return choose(
            b().CreateICmpNE(entry, e_.i64(0)), [&] { return b().CreateAdd(entry, distance); },
            absolute);
      },
      absolute);
}

llvm::Value *Lowering::context_argument(uint32_t index, Span span) {
  if (family() == ProbeFamily::kIter) return context_pointer(index);
  bool has_words = family() == ProbeFamily::kRawTracepoint || family() == ProbeFamily::kLsm;
  if (has_words || is_tracing()) return context_u64(index);
  if (kind_ != ProgramKind::kPlain) return syscall_register(kSyscallArguments[index]);
  if (family() == ProbeFamily::kUsdt) return usdt_argument(index, span);
  assert(index < std::size(kArguments) && "the check of argN knows how many there are");
  return context_register(kArguments[index]);
}

llvm::Value *Lowering::context_return() {
  if (kind_ == ProgramKind::kSyscallExit) return context_u64(1);
  if (family() != ProbeFamily::kFexit) return context_register(kReturnValue);
  // Behind the arguments.
  const StructDef &def = program_.types->complete(info_->probes.front().args_type->struct_def);
  return e_.load_function_argument(ctx_, "return", def.size);
}

llvm::Value *Lowering::instruction_pointer() {
  bool is_return = family() == ProbeFamily::kKretprobe;
  bool has_function = is_return || is_tracing() || family() == ProbeFamily::kKprobe ||
                      family() == ProbeFamily::kUretprobe;
  auto pointer = [&]() -> llvm::Value * {
    return is_tracing() ? e_.i64(0) : context_register(kInstructionPointer);
  };
  if (!has_function) return pointer();
  // The helper (5.15; of functions of processes 6.7) knows the function where the registers do not;
  // in the middle of one it gives 0 and they do.
  return choose(
      e_.core_helper_exists(Helper::kGetFuncIp),
      [&]() -> llvm::Value * {
        llvm::Value *function = e_.call(Helper::kGetFuncIp, {ctx_});
        if (is_return || is_tracing()) return function;
        return b().CreateSelect(b().CreateICmpEQ(function, e_.i64(0)), pointer(), function);
      },
      pointer);
}

llvm::Value *Lowering::syscall_number() {
  return kind_ == ProgramKind::kSyscallEnter ? context_u64(1) : syscall_register(kSyscallNumber);
}

// Of task_struct what is_compat_syscall() looks at (arch/x86/include/asm/thread_info.h). Read from
// the kernel's types, it would come with all its members and their types, half a millisecond of
// them. The loader finds the members by their names and leaves out what follows "___", which keeps
// this apart from the script's own task_struct.
TypeRef Lowering::task_with_status() {
  if (task_with_status_) return task_with_status_;
  const auto struct_of = [this](const char *name, StructDef::Member member) {
    StructDef *def = program_.types->new_struct();
    def->name = name;
    def->origin = StructDef::Origin::kKernel;
    def->is_complete = true;
    def->size = 24;
    def->members.push_back(std::move(member));
    return program_.types->struct_type(def);
  };
  TypeRef info =
      struct_of("thread_info___syscall",
                {.name = "status", .type = program_.types->integer(4, false), .bit_offset = 128});
  task_with_status_ = struct_of("task_struct___syscall", {.name = "thread_info", .type = info});
  return task_with_status_;
}

// Syscalls of 32-bit programs have other numbers and arguments: the kernel's own syscall
// tracepoints leave them out, too.
llvm::Value *Lowering::is_compat_syscall() {
#if defined(__x86_64__)
  Place status;
  status.type = task_with_status();
  extend(status, "thread_info");
  extend(status, "status");
  // Since 5.11 there is a pointer to the task that the verifier lets us follow.
  const auto followed = [&]() -> llvm::Value * {
    llvm::Value *task = pointer(e_.call(Helper::kGetCurrentTaskBtf, {}));
    llvm::Value *from = field_address(task, status.path);
    llvm::Value *word = b().CreateAlignedLoad(b().getInt32Ty(), from, llvm::Align(4));
    return b().CreateZExt(word, b().getInt64Ty());
  };
  const auto copied = [&] {
    status.base = e_.call(Helper::kGetCurrentTask, {});
    return read(status, info_->clause->span);
  };
  llvm::Value *flags = choose(
      e_.core_field_exists(status.path),
      [&] { return choose(e_.core_helper_exists(Helper::kGetCurrentTaskBtf), followed, copied); },
      [&]() -> llvm::Value * { return e_.i64(0); });
  return b().CreateICmpNE(b().CreateAnd(flags, e_.i64(kCompatSyscall)), e_.i64(0));
#else
  return b().getFalse();
#endif
}

llvm::Value *Lowering::syscall_field(const StructDef::Member &member) {
  constexpr uint32_t kFirstArgument = 16;  // in the record; the number is at 8
  uint32_t offset = member.bit_offset / 8;
  if (offset < kFirstArgument) return syscall_number();
  if (kind_ == ProgramKind::kSyscallExit) return context_u64(1);
  uint32_t index = (offset - kFirstArgument) / 8;
  assert(index < std::size(kSyscallArguments));
  return syscall_register(kSyscallArguments[index]);
}

llvm::Value *Lowering::tracepoint_field(const StructDef::Member &member, TypeRef type, Span span,
                                        llvm::Value *to) {
  uint32_t offset = member.bit_offset / 8;
  if (member.is_data_loc) {
    // Where the data lies in the record, and how much it is: offset | length << 16.
    llvm::Value *location = e_.load_tracepoint_field(ctx_, member.name, offset, 4);
    llvm::Value *start = b().CreateAnd(location, e_.i64(0xffff));
    llvm::Value *address = b().CreateAdd(b().CreatePtrToInt(ctx_, b().getInt64Ty()), start);
    if (!is_in_memory(type)) return address;
    if (type->is_string())
      return read_string(address, type->size, nullptr, AddressSpace::kKernel, span, to);
    return read(dereference(address, type, AddressSpace::kKernel), span, to);
  }
  uint32_t size = program_.types->size_of(type);
  if (!is_in_memory(type))
    return normalize(e_.load_tracepoint_field(ctx_, member.name, offset, size), type);
  llvm::Value *from = e_.tracepoint_field_address(ctx_, member.name, offset, size);
  return read(dereference(b().CreatePtrToInt(from, b().getInt64Ty()), type, AddressSpace::kKernel),
              span, to);
}

// An argument of the traced function by name.
llvm::Value *Lowering::probe_argument(const StructDef &def, uint32_t index, TypeRef type, Span span,
                                      llvm::Value *to) {
  if (!is_tracing()) return normalize(context_argument(index, span), type);
  const StructDef::Member &member = def.members.at(index);
  llvm::Value *word = e_.load_function_argument(ctx_, member.name, member.bit_offset / 8);
  if (!is_in_memory(type)) return normalize(word, type);
  // A small struct passed by value.
  llvm::Value *memory = to ? to : temporary(8);
  llvm::Value *whole = temporary(8);
  b().CreateAlignedStore(word, whole, llvm::Align(8));
  copy(memory, whole, program_.types->size_of(type));
  return memory;
}

llvm::Value *Lowering::context_field(const StructDef &def, uint32_t index, TypeRef type, Span span,
                                     llvm::Value *to) {
  const StructDef::Member &member = def.members.at(index);
  if (def.origin == StructDef::Origin::kEntryArguments) {
    if (!is_in_memory(type)) return normalize(entry_word(member), type);
    constexpr uint32_t kWord = 8;
    const uint32_t size = program_.types->size_of(type);
    llvm::Value *words = temporary(2 * kWord);
    StructDef::Member part = member;
    for (uint32_t i = 0; i * kWord < size; i++, part.bit_offset += 64)
      b().CreateAlignedStore(entry_word(part), at(words, i * kWord), llvm::Align(kWord));
    if (!to) return words;
    copy(to, words, size);
    return to;
  }
  if (def.origin == StructDef::Origin::kContext) return context_member(member, type, to);
  if (family() == ProbeFamily::kUprobe) return user_argument(index, type, span, to);
  if (def.origin == StructDef::Origin::kProbeArguments)
    return probe_argument(def, index, type, span, to);
  if (kind_ != ProgramKind::kPlain) return normalize(syscall_field(member), type);
  return tracepoint_field(member, type, span, to);
}

// Where a field of `args` that is an array lies in the tracepoint's record.
llvm::Value *Lowering::context_address(ast::FieldAccess &node) {
  const StructDef &def = program_.types->complete(node.object->type->struct_def);
  for (const StructDef::Member &member : def.members) {
    if (member.name != node.field) continue;
    uint32_t offset = member.bit_offset / 8, size = program_.types->size_of(member.type);
    if (member.is_data_loc)
      return tracepoint_field(member, program_.types->uint64(), node.span, nullptr);
    llvm::Value *address = e_.tracepoint_field_address(ctx_, member.name, offset, size);
    return b().CreatePtrToInt(address, b().getInt64Ty());
  }
  assert(false && "check_types lets only members through");
  return e_.i64(0);
}

// All of `args`, for print(args).
llvm::Value *Lowering::context_fields(TypeRef type, Span span, llvm::Value *to) {
  const StructDef &def = program_.types->complete(type->struct_def);
  llvm::Value *memory = to ? to : temporary(def.size);
  zero(memory, def.size);
  for (uint32_t i = 0; i < def.members.size(); i++) {
    const StructDef::Member &member = def.members[i];
    llvm::Value *slot = at(memory, member.bit_offset / 8);
    if (member.is_data_loc) {
      llvm::Value *location = e_.load_tracepoint_field(ctx_, member.name, member.bit_offset / 8, 4);
      b().CreateAlignedStore(b().CreateTrunc(location, b().getInt32Ty()), slot, llvm::Align(4));
    } else {
      store_value(context_field(def, i, member.type, span, slot), member.type, slot);
    }
  }
  return memory;
}

uint64_t Lowering::own_frames() const {
  if (function_.is_callback && !function_.is_part) return 0;
  if (kind_ != ProgramKind::kPlain) return function_.is_part ? 4 : 3;
  // Others' stacks are taken from the registers of the event, or show the program.
  bool is_taken_here = is_tracing() || family() == ProbeFamily::kRawTracepoint;
  return function_.is_part && is_taken_here ? 1 : 0;
}

llvm::Value *Lowering::probe_id() {
  if (shared_probe_) return shared_probe_;
  return function_.is_callback ? e_.i64(UINT32_MAX) : e_.probe_id();
}

llvm::Value *Lowering::probe_text(llvm::Value *id) {
  llvm::Value *key = temporary(8);
  b().CreateAlignedStore(b().CreateTrunc(id, b().getInt32Ty()), key, llvm::Align(4));
  llvm::Value *entry = e_.map_lookup(e_.probe_names_map(), key);
  llvm::BasicBlock *before = b().GetInsertBlock(), *none = e_.new_block("probe.unknown"),
                   *done = e_.new_block("probe.name");
  b().CreateCondBr(b().CreateIsNotNull(entry), done, none);
  b().SetInsertPoint(none);
  llvm::Value *empty = e_.rodata_bytes("", object::kProbeNameSize);
  b().CreateBr(done);
  b().SetInsertPoint(done);
  llvm::PHINode *text = b().CreatePHI(b().getPtrTy(), 2);
  text->addIncoming(entry, before);
  text->addIncoming(empty, none);
  aligned_.insert(text);
  return text;
}

std::string Lowering::probe_type_name() const {
  bool is_special = family() == ProbeFamily::kBegin || family() == ProbeFamily::kEnd;
  return is_special ? "special" : frontend::family_name(family());
}

llvm::Value *Lowering::pid_tgid(bool is_initial_namespace) {
  auto global = [&]() -> llvm::Value * { return e_.call(Helper::kGetCurrentPidTgid, {}); };
  if (is_initial_namespace) return global();
  // Where the tracer runs in a pid namespace of its own, ids are those which it sees.
  llvm::Function *seen = shared_function("awl_pid_tgid", {}, [&](llvm::Function *) {
    llvm::Value *device = e_.load_variable(object::kPidNamespaceDev);
    auto local = [&]() -> llvm::Value * {
      llvm::Value *ids = temporary(8);  // struct bpf_pidns_info: u32 pid, u32 tgid
      b().CreateAlignedStore(e_.i64(0), ids, llvm::Align(8));
      llvm::Value *inode = e_.load_variable(object::kPidNamespaceIno);
      e_.call(Helper::kGetNsCurrentPidTgid, {device, inode, ids, e_.i32(8)});
      return b().CreateAlignedLoad(b().getInt64Ty(), ids, llvm::Align(8));
    };
    e_.emit_return(choose(b().CreateICmpEQ(device, e_.i64(0)), global, local));
  });
  return b().CreateCall(seen);
}

}  // namespace awl::codegen
