// Constants, variables of .rodata, and the memory of programs: on the stack or in scratch.
#include <algorithm>
#include <cassert>

#include "codegen/emitter_state.h"

namespace awl::codegen {
namespace {

// Larger blocks are not worth their instructions: a helper call moves them.
constexpr size_t kInlineBytes = 256;

constexpr const char *kReadOnlySection = ".rodata";

}  // namespace

llvm::ConstantInt *Emitter::i64(int64_t value) {
  return s_->builder.getInt64(static_cast<uint64_t>(value));
}
llvm::ConstantInt *Emitter::i32(int64_t value) {
  return s_->builder.getInt32(static_cast<uint32_t>(value));
}
llvm::ConstantInt *Emitter::i8(int64_t value) {
  return s_->builder.getInt8(static_cast<uint8_t>(value));
}

llvm::Value *Emitter::rodata_bytes(const std::string &bytes, size_t size) {
  std::string padded = bytes.substr(0, size);
  padded.resize(size, '\0');
  auto [entry, is_new] = s_->blobs.try_emplace(padded, nullptr);
  if (is_new) {
    auto *value = llvm::ConstantDataArray::getString(s_->context, padded, /*AddNull=*/false);
    auto *global = new llvm::GlobalVariable(s_->module, value->getType(), true,
                                            llvm::GlobalValue::PrivateLinkage, value, "bytes");
    global->setSection(kReadOnlySection);
    global->setAlignment(llvm::Align(8));
    entry->second = global;
  }
  return entry->second;
}

// The loader writes these before load, so LLVM must not look at what stands there now.
llvm::GlobalVariable *Emitter::State::variable(const std::string &name, llvm::Constant *initial,
                                               llvm::DIType *type) {
  auto [entry, is_new] = variables.try_emplace(name, nullptr);
  if (is_new) {
    auto *global = new llvm::GlobalVariable(module, initial->getType(), true,
                                            llvm::GlobalValue::ExternalLinkage, initial, name);
    global->setExternallyInitialized(true);
    global->setSection(kReadOnlySection);
    global->setAlignment(llvm::Align(8));
    debug.variable(global, debug.read_only(type));
    entry->second = global;
  }
  return entry->second;
}

llvm::Value *Emitter::load_variable(const std::string &name, uint64_t initial) {
  auto *global = s_->variable(name, s_->builder.getInt64(initial), s_->debug.integer(8, false));
  return s_->builder.CreateAlignedLoad(s_->builder.getInt64Ty(), global, llvm::Align(8),
                                       /*isVolatile=*/true, name);
}

llvm::Value *Emitter::string_variable(const std::string &name, size_t size,
                                      const std::string &initial) {
  std::string padded = initial.substr(0, size ? size - 1 : 0);
  padded.resize(size, '\0');
  auto *value = llvm::ConstantDataArray::getString(s_->context, padded, /*AddNull=*/false);
  return s_->variable(name, value, s_->debug.array(s_->debug.character(), size));
}

llvm::GlobalVariable *Emitter::dispatch_table(const std::string &name, uint32_t columns) {
  const uint64_t size = uint64_t{object::kSyscallTableSize} * columns;
  auto *type = llvm::ArrayType::get(s_->builder.getInt32Ty(), size);
  return s_->variable(name, llvm::ConstantAggregateZero::get(type),
                      s_->debug.array(s_->debug.integer(4, false), size));
}

llvm::AllocaInst *Emitter::State::stack_slot(llvm::Type *type, const std::string &name) {
  llvm::BasicBlock &entry = frame().function->getEntryBlock();
  llvm::IRBuilder<> b(&entry, entry.begin());
  llvm::AllocaInst *slot = b.CreateAlloca(type, nullptr, name);
  slot->setAlignment(llvm::Align(8));
  return slot;
}

llvm::Value *Emitter::State::zero_key() {
  Frame &current = frame();
  if (!current.zero_key) {
    llvm::AllocaInst *slot = stack_slot(builder.getInt32Ty(), "zero_key");
    llvm::IRBuilder<> b(slot->getNextNode());
    b.CreateStore(b.getInt32(0), slot);
    current.zero_key = slot;
  }
  return current.zero_key;
}

bool Emitter::saves_stack() const { return s_->options.saves_stack; }

llvm::Value *Emitter::allocate_on_stack(size_t size, const std::string &name) {
  Frame &frame = s_->frame();
  size_t rounded = (std::max<size_t>(size, 1) + 7) / 8 * 8;
  if (rounded > frame.stack_left) return allocate(size, 8, name);
  frame.stack_left -= rounded;
  return s_->stack_slot(llvm::ArrayType::get(s_->builder.getInt8Ty(), rounded), name);
}

llvm::Value *Emitter::allocate(size_t size, size_t alignment, const std::string &name) {
  Frame &frame = s_->frame();
  size_t rounded = (std::max<size_t>(size, 1) + 7) / 8 * 8;
  assert(alignment <= 8);
  (void)alignment;
  if (size <= s_->checked.config.on_stack_limit && rounded <= frame.stack_left) {
    return allocate_on_stack(size, name);
  }
  return allocate_in_scratch(size, name);
}

void Emitter::use_scratch_only() { s_->frame().stack_left = 0; }

llvm::Value *Emitter::scratch() {
  if (!s_->frame().scratch) s_->claim_scratch(*this);
  return s_->frame().scratch;
}

void Emitter::borrow_scratch(llvm::Value *slot) {
  assert(s_->frames.size() > 1);
  Frame &frame = s_->frame();
  const Frame &caller = s_->frames[s_->frames.size() - 2];
  frame.scratch = slot;
  frame.scratch_used = caller.scratch_used;
  frame.is_scratch_borrowed = true;
}

llvm::Value *Emitter::allocate_in_scratch(size_t size, const std::string &name) {
  Frame &frame = s_->frame();
  size_t rounded = (std::max<size_t>(size, 1) + 7) / 8 * 8;
  scratch();
  size_t offset = kScratchHeader + frame.scratch_used;
  frame.scratch_used += rounded;
  s_->scratch_size = std::max(s_->scratch_size, frame.scratch_used);
  return s_->builder.CreateConstInBoundsGEP1_64(s_->builder.getInt8Ty(), frame.scratch, offset,
                                                name);
}

// Zeros to copy from, as large as the largest that is asked for.
llvm::GlobalVariable *Emitter::State::zero_blob(size_t size) {
  zeros_size = std::max(zeros_size, size);
  if (!zeros) {
    zeros = new llvm::GlobalVariable(module, builder.getInt8Ty(), true,
                                     llvm::GlobalValue::ExternalLinkage, nullptr, "awl_zeros.tmp");
  }
  return zeros;
}

void Emitter::State::define_zeros() {
  if (!zeros) return;
  auto *type = llvm::ArrayType::get(builder.getInt8Ty(), (zeros_size + 7) / 8 * 8);
  auto *global = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::PrivateLinkage,
                                          llvm::ConstantAggregateZero::get(type), "zeros");
  global->setSection(kReadOnlySection);
  global->setAlignment(llvm::Align(8));
  zeros->replaceAllUsesWith(global);
  zeros->eraseFromParent();
  zeros = nullptr;
}

void Emitter::zero(llvm::Value *pointer, size_t size) {
  if (size == 0) return;
  if (size <= kInlineBytes) {
    s_->builder.CreateMemSet(pointer, i8(0), size, llvm::MaybeAlign(1));
  } else {
    call(Helper::kProbeReadKernel, {pointer, i32(static_cast<int64_t>(size)), s_->zero_blob(size)});
  }
}

void Emitter::copy(llvm::Value *to, llvm::Value *from, size_t size) {
  if (size == 0) return;
  if (size <= kInlineBytes) {
    llvm::MaybeAlign alignment(1);  // what is known of it LLVM finds out
    s_->builder.CreateMemCpy(to, alignment, from, alignment, size);
  } else {
    call(Helper::kProbeReadKernel, {to, i32(static_cast<int64_t>(size)), from});
  }
}

}  // namespace awl::codegen
