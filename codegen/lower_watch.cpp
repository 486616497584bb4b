// Watchpoints by the argument of a function.
//
// Programs cannot set debug registers. So one in front of the watchpoint's own, attached to the
// function, tells the runtime each address that it has not told before, and unless the watchpoint
// is asynchronous stops the process until it is watched. A map holds what was told:
//
//   key    u64 tgid << 32, u64 address
//   value  u64 time
#include "codegen/lower.h"

namespace awl::codegen {

namespace {

constexpr int32_t kSigStop = 19;    // signal(7), as on all architectures that awl knows
constexpr uint64_t kUpdateAny = 0;  // BPF_ANY

}  // namespace

void Lowering::emit_watch_program(const frontend::ProbeSpec &probe) {
  Span span = probe.attach_point->span;
  begin_described_program({&probe}, span, /*is_entry=*/true);
  e_.end_predicate();
  llvm::GlobalVariable *told = e_.entries_map(program_count_, 0, /*is_lru=*/true);
  llvm::Value *address = context_argument(*probe.watched_argument, span);
  llvm::Value *tgid = b().CreateLShr(pid_tgid(false), 32);
  llvm::Value *key = temporary(16);
  b().CreateAlignedStore(b().CreateShl(tgid, 32), key, llvm::Align(8));
  b().CreateAlignedStore(address, at(key, 8), llvm::Align(8));
  leave_if(b().CreateIsNotNull(e_.map_lookup(told, key)));
  llvm::Value *time = temporary(8);
  b().CreateAlignedStore(e_.call(Helper::kKtimeGetBootNs, {}), time, llvm::Align(8));
  // What cannot be told must neither be taken for told nor wait.
  emit_control(object::EventKind::kWatch, nullptr, {address, tgid, e_.i64(!probe.is_async)}, span,
               [&] {
                 e_.map_update(told, key, time, kUpdateAny);
                 if (!probe.is_async) e_.call(Helper::kSendSignal, {b().getInt32(kSigStop)});
               });
  e_.end_program();
}

}  // namespace awl::codegen
