// dw_ustack: the stack of a thread in user space, unwound by the tables of runtime/object/unwind.h.
//
// What changes from frame to frame lies in words on the program's stack, which the loops' bodies,
// as functions of their own (bpf_loop), share: the kernel checks each body once, however many
// rounds there are. Frames go into scratch memory; then the whole stack is kept in a map under a
// hash of it, so that equal stacks are equal keys.
#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "codegen/lower_builtin.h"
#include "runtime/object/unwind.h"

namespace awl::codegen {

namespace {

using object::UnwindMapping;
using object::UnwindRule;

// Offsets in x86-64's struct pt_regs (arch/x86/include/asm/ptrace.h), in bytes.
constexpr int64_t kRegsBp = 32, kRegsIp = 128, kRegsSp = 152;
// Offsets in struct rt_sigframe (arch/x86/include/asm/sigframe.h) from where the handler returns
// to: registers that the signal interrupted.
constexpr int64_t kSignalBp = 120, kSignalSp = 160, kSignalIp = 168;
constexpr int64_t kWordSize = 8;
// So many steps find one of kMaxUnwindMappings, of kMaxUnwindRows.
constexpr uint32_t kMappingSteps = std::bit_width(object::kMaxUnwindMappings) - 1;
constexpr uint32_t kRowSteps = std::bit_width(object::kMaxUnwindRows);
constexpr uint32_t kStacks = 8192;
constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;

// The words that the loops share.
enum Word : uint32_t {
  kIp,
  kSp,
  kBp,
  kIsExact,  // the frame was interrupted here: its address is no return address
  kCount,
  kHash,
  kGoesOn,
  kHasFailed,
  kLow,
  kHigh,
  kTarget,
  kKey,  // of a search
  kRow,
  kRead,
  kWords,
};

class Unwinder {
 public:
  explicit Unwinder(BuiltinCall &call, uint32_t limit)
      : l_(call.lowering), e_(call.emitter()), span_(call.span()), limit_(limit) {
    processes_ = e_.own_map(object::kUnwindProcessesMap, BPF_MAP_TYPE_HASH,
                            object::kMaxUnwindProcesses, 4, sizeof(object::UnwindProcess));
    tables_ = e_.own_map(object::kUnwindTablesMap, BPF_MAP_TYPE_ARRAY_OF_MAPS,
                         object::kMaxUnwindTables, 4, 4);
    state_ = e_.allocate_on_stack(kWords * kWordSize, "unwind");
  }

  // Walks the stack of this thread; the frames are in frames(), so many as the result says.
  llvm::Value *walk() {
    for (uint32_t word = 0; word < kWords; ++word) set(word, number(0));
    // Never on the stack, which cannot be written to at a place that is not known.
    constexpr uint64_t kStackSize = 512;
    frames_ = l_.temporary(std::max(uint64_t{limit_} * kWordSize, kStackSize + kWordSize));
    l_.zero(frames_, uint64_t{limit_} * kWordSize);
    llvm::Value *tgid = b().CreateLShr(l_.pid_tgid(false), 32);
    set(kKey, tgid);
    llvm::Value *process = e_.map_lookup(processes_, word(kKey));
    llvm::Value *is_known = b().CreateIsNotNull(process);
    l_.if_then(b().CreateNot(is_known),
               [&] { e_.count_error(e_.error_site("dw_ustack", span_, true), number(-ESRCH)); });
    l_.if_then(is_known, [&] {
      read_registers();
      l_.callback_loop(limit_, {state_, process, frames_}, [&](auto *index, const auto &shared) {
        return frame(index, shared.at(0), shared.at(1), shared.at(2));
      });
      add_failure();
    });
    return get(kCount);
  }
  llvm::Value *frames() { return frames_; }
  llvm::Value *hash() { return get(kHash); }

 private:
  llvm::IRBuilder<> &b() { return l_.b(); }
  llvm::ConstantInt *number(int64_t value) { return e_.i64(value); }
  llvm::Value *word(uint32_t index) { return l_.at(state_, uint64_t{index} * kWordSize); }
  llvm::Value *load(llvm::Value *from) {
    return b().CreateAlignedLoad(b().getInt64Ty(), from, llvm::Align(8));
  }
  llvm::Value *get(uint32_t index) { return load(word(index)); }
  void set(uint32_t index, llvm::Value *value) {
    b().CreateAlignedStore(value, word(index), llvm::Align(8));
  }
  llvm::Value *plus(llvm::Value *value, int64_t more) { return b().CreateAdd(value, number(more)); }
  // A signed part of a row.
  llvm::Value *part(llvm::Value *row, unsigned shift, unsigned bits) {
    return b().CreateAShr(b().CreateShl(row, 64 - shift - bits), 64 - bits);
  }
  llvm::Value *is_rule(llvm::Value *rule, UnwindRule wanted) {
    return b().CreateICmpEQ(rule, number(static_cast<int64_t>(wanted)));
  }
  llvm::Value *middle() { return b().CreateLShr(b().CreateAdd(get(kLow), get(kHigh)), 1); }

  // Registers that the thread had in user space, wherever in the kernel it is now.
  void read_registers() {
    llvm::Value *task = e_.call(Helper::kGetCurrentTaskBtf, {});
    llvm::Value *registers = as_number(e_.call(Helper::kTaskPtRegs, {task}));
    const std::pair<uint32_t, int64_t> places[] = {{kIp, kRegsIp}, {kSp, kRegsSp}, {kBp, kRegsBp}};
    for (const auto &[register_word, offset] : places) {
      e_.call(Helper::kProbeReadKernel,
              {word(register_word), e_.i32(kWordSize), plus(registers, offset)});
    }
    set(kIsExact, number(1));
  }
  llvm::Value *as_number(llvm::Value *value) {
    return value->getType()->isPointerTy() ? b().CreatePtrToInt(value, b().getInt64Ty()) : value;
  }

  // Reads a word of the process into kRead; `then` where that worked.
  template <class F>
  void with_user_word(llvm::Value *address, F then) {
    llvm::Value *result =
        e_.call(Helper::kProbeReadUser, {word(kRead), e_.i32(kWordSize), address});
    l_.if_then(b().CreateICmpEQ(result, number(0)), [&] { then(get(kRead)); });
  }

  // One round: notes the frame that kIp stands in, and finds its caller's registers.
  llvm::Value *frame(llvm::Value *index, llvm::Value *state, llvm::Value *process,
                     llvm::Value *frames) {
    llvm::Value *outer_state = state_;
    state_ = state;
    set(kGoesOn, number(0));
    set(kHasFailed, number(1));
    // A return address may be that of the next function already: the call stands before it.
    llvm::Value *address = b().CreateAdd(plus(get(kIp), -1), get(kIsExact));
    llvm::Value *offset = b().CreateShl(index, 3);
    b().CreateAlignedStore(address, b().CreateGEP(b().getInt8Ty(), frames, offset), llvm::Align(8));
    set(kCount, plus(index, 1));
    add_to_hash(address);
    find_row(address, process);
    step(get(kRow));
    set(kIsExact, is_rule_word(get(kRow), UnwindRule::kSignal));
    llvm::Value *goes_on = b().CreateICmpNE(get(kGoesOn), number(0));
    state_ = outer_state;
    return goes_on;
  }
  llvm::Value *is_rule_word(llvm::Value *row, UnwindRule wanted) {
    return b().CreateZExt(is_rule(b().CreateAnd(b().CreateLShr(row, 32), 255), wanted),
                          b().getInt64Ty());
  }
  void add_to_hash(llvm::Value *address) {
    llvm::Value *mixed = b().CreateMul(b().CreateXor(get(kHash), address),
                                       number(static_cast<int64_t>(kGoldenRatio)));
    set(kHash, b().CreateXor(mixed, b().CreateLShr(mixed, 29)));
  }

  llvm::Value *mapping_at(llvm::Value *process, llvm::Value *index) {
    llvm::Value *offset = b().CreateMul(l_.bounded(index, object::kMaxUnwindMappings - 1),
                                        number(sizeof(UnwindMapping)));
    return l_.at(b().CreateGEP(b().getInt8Ty(), process, offset),
                 offsetof(object::UnwindProcess, mappings));
  }

  // The row for an address in kRow; 0, which has no rule, where there is none.
  void find_row(llvm::Value *address, llvm::Value *process) {
    set(kTarget, address);
    set(kLow, number(0));
    set(kHigh, load(process));
    l_.callback_loop(kMappingSteps, {state_, process}, [&](auto *, const auto &shared) {
      return search(shared.at(0), [&] { return mapping_step(shared.at(1)); });
    });
    llvm::Value *mapping = mapping_at(process, get(kLow));
    llvm::Value *target = get(kTarget);
    llvm::Value *is_behind =
        b().CreateICmpUGE(target, load(l_.at(mapping, offsetof(UnwindMapping, start))));
    llvm::Value *is_before =
        b().CreateICmpULT(target, load(l_.at(mapping, offsetof(UnwindMapping, end))));
    llvm::Value *table = load(l_.at(mapping, offsetof(UnwindMapping, table)));
    // Where no file is mapped there is no table either.
    llvm::Value *is_inside = b().CreateAnd(is_behind, is_before);
    llvm::Value *low_half = number(0xffffffff);
    set(kKey, b().CreateSelect(is_inside, b().CreateAnd(table, low_half), low_half));
    set(kTarget, b().CreateSub(target, load(l_.at(mapping, offsetof(UnwindMapping, bias)))));
    set(kLow, number(0));
    set(kHigh, b().CreateLShr(table, 32));
    set(kRow, number(0));
    l_.callback_loop(kRowSteps, {state_}, [&](auto *, const auto &shared) {
      return search(shared.at(0), [&] { return row_step(); });
    });
  }
  template <class F>
  llvm::Value *search(llvm::Value *state, F step) {
    llvm::Value *outer_state = state_;
    state_ = state;
    llvm::Value *goes_on = step();
    state_ = outer_state;
    return goes_on;
  }
  // The last mapping that starts at or below kTarget comes to kLow.
  llvm::Value *mapping_step(llvm::Value *process) {
    llvm::Value *between = middle();
    llvm::Value *start = load(mapping_at(process, between));
    llvm::Value *is_above = b().CreateICmpULT(get(kTarget), start);
    llvm::Value *low = get(kLow), *high = get(kHigh);
    set(kLow, b().CreateSelect(is_above, low, between));
    set(kHigh, b().CreateSelect(is_above, between, high));
    return b().CreateICmpUGT(b().CreateSub(get(kHigh), get(kLow)), number(1));
  }
  // The last row at or below kTarget comes to kRow.
  llvm::Value *row_step() {
    llvm::Value *between = middle();
    set(kRead, between);
    set(kGoesOn, number(0));
    llvm::Value *table = e_.map_lookup(tables_, word(kKey));
    l_.if_then(b().CreateIsNotNull(table), [&] {
      llvm::Value *entry = e_.call(Helper::kMapLookup, {table, word(kRead)});
      l_.if_then(b().CreateIsNotNull(entry), [&] {
        llvm::Value *row = load(entry);
        llvm::Value *is_above =
            b().CreateICmpULT(get(kTarget), b().CreateAnd(row, number(0xffffffff)));
        llvm::Value *low = get(kLow), *high = get(kHigh), *best = get(kRow), *at = get(kRead);
        set(kRow, b().CreateSelect(is_above, best, row));
        set(kLow, b().CreateSelect(is_above, low, plus(at, 1)));
        set(kHigh, b().CreateSelect(is_above, at, high));
        set(kGoesOn, b().CreateZExt(b().CreateICmpULT(get(kLow), get(kHigh)), b().getInt64Ty()));
      });
    });
    llvm::Value *goes_on = b().CreateICmpNE(get(kGoesOn), number(0));
    set(kGoesOn, number(0));
    return goes_on;
  }

  // From the registers of a frame to those of its caller; kGoesOn says whether there is one.
  void step(llvm::Value *row) {
    llvm::Value *rule = b().CreateAnd(b().CreateLShr(row, 32), number(255));
    l_.if_then(is_rule(rule, UnwindRule::kOutermost), [&] { set(kHasFailed, number(0)); });
    l_.if_then(is_rule(rule, UnwindRule::kSignal), [&] { step_out_of_signal(); });
    llvm::Value *offset = part(row, 48, 16);
    llvm::Value *bytes = b().CreateShl(offset, 3);
    l_.if_then(is_rule(rule, UnwindRule::kStackPointer),
               [&] { step_to(b().CreateAdd(get(kSp), bytes), row); });
    l_.if_then(is_rule(rule, UnwindRule::kFramePointer),
               [&] { step_to(b().CreateAdd(get(kBp), bytes), row); });
    l_.if_then(is_rule(rule, UnwindRule::kPlt), [&] {
      llvm::Value *has_pushed = b().CreateICmpUGE(b().CreateAnd(get(kIp), number(15)), offset);
      llvm::Value *size = b().CreateSelect(has_pushed, number(16), number(8));
      step_to(b().CreateAdd(get(kSp), size), row);
    });
    l_.if_then(is_rule(rule, UnwindRule::kRealigned), [&] {
      with_user_word(b().CreateAdd(get(kBp), bytes), [&](llvm::Value *frame) {
        with_user_word(get(kBp), [&](llvm::Value *caller) {
          set(kBp, caller);
          step_to(frame, number(0));
        });
      });
    });
  }
  // Return address and, where it was saved, rbp are at their places below the CFA.
  void step_to(llvm::Value *frame_address, llvm::Value *row) {
    with_user_word(plus(frame_address, -kWordSize), [&](llvm::Value *return_address) {
      set(kIp, return_address);
      set(kSp, frame_address);
      llvm::Value *place = part(row, 40, 8);
      set(kRead, get(kBp));
      l_.if_then(b().CreateICmpNE(place, number(0)), [&] {
        e_.call(Helper::kProbeReadUser, {word(kRead), e_.i32(kWordSize),
                                         b().CreateAdd(frame_address, b().CreateShl(place, 3))});
      });
      set(kBp, get(kRead));
      found_caller(return_address);
    });
  }
  void step_out_of_signal() {
    llvm::Value *frame_address = get(kSp);
    with_user_word(plus(frame_address, kSignalIp), [&](llvm::Value *ip) {
      with_user_word(plus(frame_address, kSignalBp), [&](llvm::Value *bp) {
        with_user_word(plus(frame_address, kSignalSp), [&](llvm::Value *sp) {
          set(kIp, ip);
          set(kBp, bp);
          set(kSp, sp);
          found_caller(ip);
        });
      });
    });
  }
  // A return to nowhere ends a stack as well as a rule that says so.
  void found_caller(llvm::Value *return_address) {
    set(kHasFailed, number(0));
    set(kGoesOn, b().CreateZExt(b().CreateICmpNE(return_address, number(0)), b().getInt64Ty()));
  }

  void add_failure() {
    llvm::Value *count = get(kCount);
    llvm::Value *has_place = b().CreateICmpULT(count, number(limit_));
    llvm::Value *has_failed = b().CreateICmpNE(get(kHasFailed), number(0));
    l_.if_then(b().CreateAnd(has_failed, has_place), [&] {
      llvm::Value *failure = number(static_cast<int64_t>(object::kUnwindFailure));
      llvm::Value *offset = b().CreateShl(l_.bounded(count, limit_ - 1), 3);
      b().CreateAlignedStore(failure, b().CreateGEP(b().getInt8Ty(), frames_, offset),
                             llvm::Align(8));
      add_to_hash(failure);
      set(kCount, plus(count, 1));
    });
  }

  Lowering &l_;
  Emitter &e_;
  Span span_;
  const uint32_t limit_;
  llvm::GlobalVariable *processes_, *tables_;
  llvm::Value *state_ = nullptr, *frames_ = nullptr;
};

}  // namespace

llvm::Value *unwound_stack(BuiltinCall &call) {
  Emitter &emitter = call.emitter();
  Lowering &lowering = call.lowering;
  llvm::IRBuilder<> &b = call.b();
  const uint32_t limit = call.type()->stack_limit;
  if (limit == 0) {
    llvm::Value *empty = call.memory();
    b.CreateAlignedStore(emitter.i64(UINT32_MAX), empty, llvm::Align(8));
    b.CreateAlignedStore(emitter.i64(UINT32_MAX), lowering.at(empty, 8), llvm::Align(8));
    return empty;
  }
  llvm::GlobalVariable *stacks =
      emitter.own_map(object::kUnwoundStacksPrefix + std::to_string(limit), BPF_MAP_TYPE_HASH,
                      kStacks, 8, limit * kWordSize);
  llvm::Value *memory = call.memory();
  llvm::Value *key = emitter.allocate_on_stack(kWordSize, "stack_key");
  Unwinder unwinder(call, limit);
  llvm::Value *count = unwinder.walk();
  // An id is not negative.
  llvm::Value *hash = b.CreateAnd(unwinder.hash(), emitter.i64(~int64_t{0x80000000}));
  llvm::Value *none = emitter.i64(-1);
  llvm::Value *is_empty = b.CreateICmpEQ(count, emitter.i64(0));
  b.CreateAlignedStore(b.CreateSelect(is_empty, none, hash), key, llvm::Align(8));
  lowering.if_then(b.CreateNot(is_empty), [&] {
    llvm::Value *known = emitter.map_lookup(stacks, key);
    lowering.if_then(b.CreateIsNull(known), [&] {
      llvm::Value *result = emitter.map_update(stacks, key, unwinder.frames(), BPF_NOEXIST);
      // Another CPU may have been faster.
      llvm::Value *has_failed = b.CreateAnd(b.CreateICmpSLT(result, emitter.i64(0)),
                                            b.CreateICmpNE(result, emitter.i64(-EEXIST)));
      lowering.if_then(has_failed, [&] {
        emitter.count_error(emitter.error_site("dw_ustack map", call.span(), true), result);
        b.CreateAlignedStore(none, key, llvm::Align(8));
      });
    });
  });
  llvm::Value *id = b.CreateAlignedLoad(b.getInt64Ty(), key, llvm::Align(8));
  llvm::Value *low = b.CreateAnd(id, emitter.i64(0xffffffff));
  llvm::Value *high = b.CreateAnd(id, emitter.i64(static_cast<int64_t>(0xffffffff00000000)));
  llvm::Value *tgid = b.CreateShl(b.CreateLShr(lowering.pid_tgid(false), 32), 32);
  b.CreateAlignedStore(b.CreateOr(low, tgid), memory, llvm::Align(8));
  b.CreateAlignedStore(b.CreateOr(high, emitter.i64(UINT32_MAX)), lowering.at(memory, 8),
                       llvm::Align(8));
  return memory;
}

llvm::Value *unwound_length(BuiltinCall &call, uint32_t limit) {
  return Unwinder(call, limit).walk();
}

}  // namespace awl::codegen
