// Programs of the network families: what stands before the predicate, and verdicts.
#include <llvm/IR/Constants.h>

#include "codegen/lower.h"

namespace awl::codegen {

void Lowering::begin_network_program(ast::Clause &clause, const std::string &hook) {
  e_.set_default_return(frontend::passing_verdict(family()));
  if (family() == ProbeFamily::kXdp && has_several_xdp()) e_.chain_programs();
  if (family() == ProbeFamily::kSockOps) emit_socket_operation(hook);
  emit_packet(clause);
}

// The kernel takes one XDP program per interface.
bool Lowering::has_several_xdp() const {
  size_t points = 0;
  for (const ProgramInfo &info : program_.programs) {
    if (info.probes.front().family == ProbeFamily::kXdp) points += info.probes.size();
  }
  return points > 1;
}

// Only those calls that the script wants. Some are made for sockets alone that have been asked for
// them: all that come to be while we look.
void Lowering::emit_socket_operation(const std::string &name) {
  constexpr uint32_t kOp = 0, kFlags = 84;  // in struct bpf_sock_ops
  // tcp_connect, active_established, passive_established, listen: the first of a socket
  constexpr int64_t kFirst = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 11;
  constexpr uint32_t kUnlessFrequent = 7;  // not the calls for each round trip
  const frontend::SocketOperation *wanted = frontend::find_socket_operation(name);
  uint32_t flags = wanted ? wanted->flag : kUnlessFrequent;
  llvm::Value *op = opaque(context_word(kOp));
  if (flags) {
    llvm::Value *bit = b().CreateShl(e_.i64(1), b().CreateAnd(op, e_.i64(63)));
    if_then(b().CreateICmpNE(b().CreateAnd(bit, e_.i64(kFirst)), e_.i64(0)), [&] {
      llvm::Value *all = b().CreateOr(context_word(kFlags), e_.i64(flags));
      e_.call(Helper::kSockOpsCbFlagsSet, {ctx_, b().CreateTrunc(all, b().getInt32Ty())});
    });
  }
  if (wanted) leave_if(b().CreateICmpNE(op, e_.i64(wanted->number)));
}

// A verdict as the kernel takes it.
llvm::Value *Lowering::verdict(llvm::Value *result) {
  auto range = frontend::verdict_range(family(), info_->probes.front().category);
  if (!range) return result;
  if (range->least == range->most) return e_.i64(range->most);
  return bounded(result, static_cast<uint64_t>(range->most));
}

}  // namespace awl::codegen
