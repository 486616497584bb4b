// Calls of helpers, and what the loader patches before it loads.
#include "codegen/emitter_state.h"

namespace awl::codegen {
namespace {

bool returns_pointer(Helper helper) {
  return helper == Helper::kMapLookup || helper == Helper::kRingbufReserve ||
         helper == Helper::kMapLookupPercpu || helper == Helper::kPerCpuPtr ||
         helper == Helper::kThisCpuPtr;
}

}  // namespace

llvm::Value *Emitter::call(Helper helper, const std::vector<llvm::Value *> &arguments,
                           const std::string &name) {
  llvm::IRBuilder<> &b = s_->builder;
  std::vector<llvm::Type *> types;
  for (llvm::Value *argument : arguments) types.push_back(argument->getType());
  llvm::Type *result = returns_pointer(helper) ? static_cast<llvm::Type *>(b.getPtrTy())
                                               : static_cast<llvm::Type *>(b.getInt64Ty());
  auto *type = llvm::FunctionType::get(result, types, false);
  auto *callee = b.CreateIntToPtr(i64(static_cast<int>(helper)), b.getPtrTy());
  llvm::CallInst *call = b.CreateCall(type, callee, arguments, name);
  call->addFnAttr(llvm::Attribute::NoUnwind);
  // Values in maps and records in rings are aligned in all kernels; per-CPU variables are not.
  bool is_aligned =
      returns_pointer(helper) && helper != Helper::kPerCpuPtr && helper != Helper::kThisCpuPtr;
  if (is_aligned) call->addRetAttr(llvm::Attribute::getWithAlignment(s_->context, llvm::Align(8)));
  return call;
}

llvm::Value *Emitter::probe_read(llvm::Value *to, llvm::Value *size, llvm::Value *from,
                                 frontend::AddressSpace space, frontend::Span span) {
  if (space == frontend::AddressSpace::kBpf) {
    copy(to, from, llvm::cast<llvm::ConstantInt>(size)->getZExtValue());
    return i64(0);
  }
  bool is_user = space == frontend::AddressSpace::kUser;
  llvm::Value *result =
      call(is_user ? Helper::kProbeReadUser : Helper::kProbeReadKernel, {to, size, from});
  count_if_failed(result, is_user ? "probe_read_user" : "probe_read_kernel", span, false);
  return result;
}

llvm::Value *Emitter::probe_read_str(llvm::Value *to, llvm::Value *size, llvm::Value *from,
                                     frontend::AddressSpace space, frontend::Span span) {
  bool is_user = space == frontend::AddressSpace::kUser;
  llvm::Value *result =
      call(is_user ? Helper::kProbeReadUserStr : Helper::kProbeReadKernelStr, {to, size, from});
  count_if_failed(result, is_user ? "probe_read_user_str" : "probe_read_kernel_str", span, false);
  return result;
}

// ---- relocations --------------------------------------------------------------------------------

llvm::Value *Emitter::load_tracepoint_field(llvm::Value *base, const std::string &field,
                                            uint32_t offset, uint32_t size) {
  return s_->relocations.load_field(s_->builder, program_index(), base, field, offset, size);
}

llvm::Value *Emitter::load_function_argument(llvm::Value *context, const std::string &argument,
                                             uint32_t offset) {
  return s_->relocations.load_argument(s_->builder, program_index(), context, argument, offset);
}

llvm::Value *Emitter::tracepoint_field_address(llvm::Value *base, const std::string &field,
                                               uint32_t offset, uint32_t size) {
  return s_->relocations.field_address(s_->builder, program_index(), base, field, offset, size);
}

llvm::Value *Emitter::load_usdt_register(const std::string &field, uint32_t argument,
                                         llvm::Value *ctx) {
  return s_->relocations.load_usdt_register(s_->builder, program_index(), ctx, field, argument);
}

llvm::Value *Emitter::usdt_constant(const std::string &field, uint32_t argument) {
  return s_->relocations.usdt_constant(s_->builder, program_index(), field, argument);
}

llvm::Value *Emitter::user_symbol_part(const std::string &symbol, object::UserSymbolPart part) {
  return s_->relocations.user_symbol_part(s_->builder, program_index(), symbol, part);
}

llvm::Value *Emitter::probe_id() {
  llvm::IRBuilder<> &b = s_->builder;
  s_->description.programs.at(program_index()).uses_probe_id = true;
  llvm::Value *constant = s_->relocations.probe_id(b, program_index());
  // Without cookies the loader has patched the constant; asked for here is whether the kernel has
  // them at all, for loaders which patch nothing.
  llvm::BasicBlock *before = b.GetInsertBlock();
  llvm::BasicBlock *unknown = new_block("probe_id.unknown"), *ask = new_block("probe_id.cookie");
  llvm::BasicBlock *known = new_block("probe_id");
  b.CreateCondBr(b.CreateICmpEQ(constant, i64(-1)), unknown, known);
  b.SetInsertPoint(unknown);
  b.CreateCondBr(core_helper_exists(Helper::kGetAttachCookie), ask, known);
  b.SetInsertPoint(ask);
  llvm::Value *cookie = call(Helper::kGetAttachCookie, {ctx()}, "cookie");
  b.CreateBr(known);
  b.SetInsertPoint(known);
  llvm::PHINode *id = b.CreatePHI(b.getInt64Ty(), 3, "probe");
  id->addIncoming(constant, before);
  id->addIncoming(constant, unknown);
  id->addIncoming(cookie, ask);
  return b.CreateAnd(id, i64(0xffffffff));
}

llvm::Value *Emitter::is_session() {
  llvm::Value *flag = s_->relocations.session(s_->builder, program_index());
  return s_->builder.CreateICmpNE(flag, i64(0), "is_session");
}

llvm::Value *Emitter::session_call(const std::string &function) {
  return s_->relocations.session_call(s_->builder, program_index(), function, ctx());
}

llvm::Value *Emitter::link_header() {
  return s_->relocations.link_header(s_->builder, program_index());
}

}  // namespace awl::codegen
