// Scratch memory: what is too large for the 512-byte stack.
//
// A per-CPU array of kScratchSlots slots lends one slot to each run that needs memory. One slot per
// CPU would not do: while a program runs, an interrupt or NMI may fire another on the same CPU, and
// where the kernel runs programs with preemption on (it does for more and more of them) a task that
// gets the CPU meanwhile may run another program. Both would write over the memory of the run
// below. Migration is no danger: programs stay on their CPU until they end.
//
// So every slot counts its users. To claim one is to add 1 with an atomic instruction and look:
//   - it reads 1: nobody had it, and whoever comes from now on reads 2 or more. It is ours.
//   - it reads more: somebody has it, or somebody is just trying; take our 1 back, try the next.
// The addition need not return the old value (such instructions came with 5.12): two that add at
// the same time may both read 2 and both go on to the next slot, which wastes a slot for a moment
// but never gives one to both. When all slots are taken the run is given up and counted, which
// takes four programs nested on one CPU.
//
// Values of per-CPU maps have 32 KiB at most (PCPU_MIN_UNIT_SIZE in include/linux/percpu.h). When a
// script needs larger slots they lie in an array that all CPUs share, some groups of kScratchSlots;
// a CPU looks in the group of its number. CPUs that share a group cannot get the same slot, as the
// users are counted.
//
// The claim is put where the program's predicate has passed; everything after it leaves through one
// block that releases the slot. The number of a slot is not kept in any register, so that the
// verifier, which walks the loop with each number, finds the states after it equal and goes through
// the body once.
#include <llvm/ADT/STLExtras.h>

#include "codegen/emitter_state.h"

namespace awl::codegen {
namespace {

// Keeps the compiler from moving accesses to the slot's data across the claim or the release.
void compiler_barrier(llvm::IRBuilder<> &b) {
  auto *type = llvm::FunctionType::get(b.getVoidTy(), false);
  b.CreateCall(type, llvm::InlineAsm::get(type, "", "~{memory}", /*hasSideEffects=*/true));
}

void add_user(llvm::IRBuilder<> &b, llvm::Value *slot, int64_t change) {
  b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, slot, b.getInt64(static_cast<uint64_t>(change)),
                    llvm::MaybeAlign(8), llvm::AtomicOrdering::Monotonic);
}

}  // namespace

// The number of the first slot of this CPU, known when all programs are there.
llvm::Function *Emitter::State::first_slot() {
  if (!first_slot_function) {
    auto *type = llvm::FunctionType::get(builder.getInt32Ty(), false);
    first_slot_function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                                 "awl_first_slot.tmp", module);
  }
  return first_slot_function;
}

bool Emitter::State::has_shared_scratch() const {
  return kScratchHeader + scratch_size > kMostPerCpuValue;
}

void Emitter::State::resolve_first_slots(Emitter &emitter) {
  if (!first_slot_function) return;
  bool is_shared = has_shared_scratch();
  for (llvm::User *user : llvm::make_early_inc_range(first_slot_function->users())) {
    auto *call = llvm::cast<llvm::CallInst>(user);
    llvm::Value *first = builder.getInt32(0);
    if (is_shared) {
      builder.SetInsertPoint(call);
      builder.SetCurrentDebugLocation(call->getDebugLoc());
      llvm::Value *cpu = emitter.call(Helper::kGetSmpProcessorId, {});
      llvm::Value *group = builder.CreateURem(cpu, emitter.i64(kScratchGroups));
      first = builder.CreateMul(builder.CreateTrunc(group, builder.getInt32Ty()),
                                builder.getInt32(kScratchSlots));
    }
    call->replaceAllUsesWith(first);
    call->eraseFromParent();
  }
  first_slot_function->eraseFromParent();
  first_slot_function = nullptr;
}

void Emitter::State::claim_scratch(Emitter &emitter) {
  Frame &current = frame();
  auto resume = builder.saveIP();
  llvm::DebugLoc location = builder.getCurrentDebugLocation();

  llvm::BranchInst *edge = current.claim_edge;
  llvm::BasicBlock *before = edge->getParent();
  llvm::BasicBlock *body = edge->getSuccessor(0);
  builder.SetInsertPoint(edge);
  emitter.set_location(current.span);
  llvm::AllocaInst *key = stack_slot(builder.getInt32Ty(), "slot");
  llvm::BasicBlock *look = emitter.new_block("scratch.look");
  llvm::BasicBlock *use = emitter.new_block("scratch.try");
  llvm::BasicBlock *taken = emitter.new_block("scratch.taken");
  llvm::BasicBlock *none = emitter.new_block("scratch.none");
  llvm::Value *base = builder.CreateCall(first_slot());
  builder.CreateBr(look);
  edge->eraseFromParent();

  builder.SetInsertPoint(look);
  llvm::PHINode *number = builder.CreatePHI(builder.getInt32Ty(), 2, "number");
  builder.CreateStore(builder.CreateAdd(number, base), key);
  llvm::Value *slot =
      emitter.call(Helper::kMapLookup, {own_map(object::kScratchMap), key}, "scratch");
  auto *null = llvm::ConstantPointerNull::get(builder.getPtrTy());
  builder.CreateCondBr(builder.CreateICmpEQ(slot, null), none, use);

  builder.SetInsertPoint(use);
  add_user(builder, slot, 1);
  auto *users = builder.CreateAlignedLoad(builder.getInt64Ty(), slot, llvm::Align(8),
                                          /*isVolatile=*/true, "users");
  compiler_barrier(builder);
  llvm::BasicBlock *claimed = emitter.new_block("scratch.claimed");
  builder.CreateCondBr(builder.CreateICmpEQ(users, emitter.i64(1)), claimed, taken);

  builder.SetInsertPoint(taken);
  add_user(builder, slot, -1);
  llvm::Value *next = builder.CreateAdd(number, emitter.i32(1));
  number->addIncoming(emitter.i32(0), before);
  number->addIncoming(next, taken);
  builder.CreateCondBr(builder.CreateICmpULT(next, emitter.i32(kScratchSlots)), look, none);

  builder.SetInsertPoint(claimed);
  current.claim_edge = builder.CreateBr(body);
  current.scratch = slot;

  builder.SetInsertPoint(none);
  emitter.count_error(emitter.error_site("scratch memory", current.span, true), nullptr);
  if (!current.early_exit) {
    current.early_exit = emitter.new_block("exit.early");
    current.early_exit_value =
        llvm::PHINode::Create(builder.getInt64Ty(), 2, "result", current.early_exit);
  }
  current.early_exit_value->addIncoming(emitter.i64(current.default_return),
                                        builder.GetInsertBlock());
  builder.CreateBr(current.early_exit);

  builder.restoreIP(resume);
  builder.SetCurrentDebugLocation(location);
}

void Emitter::State::release_scratch() {
  compiler_barrier(builder);
  add_user(builder, frame().scratch, -1);
}

}  // namespace awl::codegen
