// Iterators and pointers of the context: what the verifier lets a program follow by plain loads, as
// it knows the types, if only their being null has been looked at.
#include <llvm/IR/Constants.h>

#include <cassert>

#include "codegen/kernel_format.h"
#include "codegen/lower.h"

namespace awl::codegen {

llvm::Value *Lowering::context_pointer(uint32_t index) {
  llvm::Value *pointer = context_u64(index);
  // Where it is null it becomes a number, which may be added to. LLVM must not see that it is the
  // same.
  return choose(
      b().CreateICmpEQ(pointer, e_.i64(0)), [&] { return opaque(e_.i64(0)); },
      [&] { return pointer; });
}

// The kernel calls once more when there is nothing left, with null for the object; the first member
// of the context is `meta`.
void Lowering::leave_at_end_of_iteration() {
  const StructDef &def = *info_->probes.front().args_type->struct_def;
  for (uint32_t i = 1; i < def.members.size(); ++i) {
    if (!def.members[i].type->is_pointer()) continue;
    leave_if(b().CreateICmpEQ(context_u64(i), e_.i64(0)));
    return;
  }
}

bool Lowering::is_pinned() const {
  return family() == ProbeFamily::kIter && !info_->probes.front().binary.empty();
}

llvm::Value *Lowering::kernel_word(ast::Expr &argument) {
  llvm::Value *word = value(argument);
  return is_in_memory(argument.type) ? b().CreatePtrToInt(word, b().getInt64Ty()) : word;
}

void Lowering::print_to_readers(const std::string &format,
                                const std::vector<ast::Expr *> &arguments, Span span) {
  std::string text = kernel_format(format);
  llvm::Value *words = temporary(std::max<size_t>(arguments.size(), 1) * 8);
  for (size_t i = 0; i < arguments.size(); ++i) {
    b().CreateAlignedStore(kernel_word(*arguments[i]), at(words, i * 8), llvm::Align(8));
  }
  TypeRef meta = program_.types->find_struct("bpf_iter_meta", false);
  frontend::MemberPath path;
  bool is_known = meta && find_member(*program_.types, meta->struct_def, "seq", &path);
  assert(is_known && "every kernel with iterators has it");
  if (!is_known) return;
  llvm::Value *sequence = b().CreateAlignedLoad(
      b().getInt64Ty(), field_address(pointer(context_u64(0)), path), llvm::Align(8));
  llvm::Value *result =
      e_.call(Helper::kSeqPrintf,
              {sequence, e_.rodata_bytes(text, text.size() + 1),
               e_.i32(static_cast<int64_t>(text.size() + 1)), words,
               e_.i32(static_cast<int64_t>(arguments.size() * 8))});
  // What finds no room in the reader's buffer is run again by the kernel (EOVERFLOW).
  e_.count_if_failed(result, "seq_printf", span, false);
}

// Goes on where the pointer is not null, else at `on_null`.
void Lowering::branch_on_null(llvm::Value *pointer, llvm::BasicBlock *on_null) {
  llvm::BasicBlock *next = e_.new_block("not.null");
  b().CreateCondBr(b().CreateICmpEQ(pointer, e_.i64(0)), on_null, next);
  b().SetInsertPoint(next);
}

// The way of an expression from the context on, its pointers followed by plain loads; `root` is the
// pointer in the context, which is known not to be null.
Place Lowering::trusted_place(ast::Expr &expr, llvm::Value *root, llvm::BasicBlock *on_null) {
  auto &access = static_cast<ast::FieldAccess &>(expr);
  if (is_arguments(access.object->type)) {
    Place place;
    place.base = root;
    place.type = expr.type;
    return place;
  }
  Place place = trusted_place(*access.object, root, on_null);
  if (place.type->is_pointer()) {
    if (!place.path.members.empty()) {
      place.base = b().CreateAlignedLoad(
          b().getInt64Ty(), field_address(pointer(place.base), place.path), llvm::Align(8));
      // The helper does not look (before 5.19), and the verifier takes it for granted.
      branch_on_null(place.base, on_null);
    }
    place.type = place.type->element;
    place.path = {};
  }
  bool is_member = extend(place, access.field);
  assert(is_member && "check_types lets only members through");
  (void)is_member;
  return place;
}

llvm::Value *Lowering::path_text(ast::Expr &expr, TypeRef type, Span span, llvm::Value *to) {
  uint32_t buffer_size = static_cast<uint32_t>(program_.config.max_strlen);
  llvm::Value *memory = temporary(type, to);
  llvm::Value *buffer = temporary(buffer_size);
  zero(memory, type->size);
  const ast::FieldAccess *first = static_cast<ast::FieldAccess *>(&expr);
  while (!is_arguments(first->object->type)) {
    first = static_cast<ast::FieldAccess *>(first->object);
  }
  const StructDef &def = *first->object->type->struct_def;
  uint32_t index = 0;
  while (def.members[index].name != first->field) ++index;
  const StructDef::Member &member = def.members[index];
  llvm::Value *root = is_tracing()
                          ? e_.load_function_argument(ctx_, member.name, member.bit_offset / 8)
                          : context_u64(index);
  llvm::BasicBlock *done = e_.new_block("path.done");
  branch_on_null(root, done);
  Place place = trusted_place(expr, root, done);
  llvm::Value *from = place.base;
  if (!place.path.members.empty()) {
    from = b().CreatePtrToInt(field_address(pointer(place.base), place.path), b().getInt64Ty());
    if (place.type->is_pointer()) {
      from = b().CreateAlignedLoad(b().getInt64Ty(), pointer(from), llvm::Align(8));
      branch_on_null(from, done);
    }
  }
  llvm::Value *length = e_.call(Helper::kDPath, {from, buffer, e_.i32(buffer_size)});
  e_.count_if_failed(length, "d_path", span, true);
  // Of a path that is too long the end is kept.
  llvm::Value *is_long = b().CreateICmpSGT(length, e_.i64(type->size));
  llvm::Value *surplus = b().CreateSub(length, e_.i64(type->size));
  llvm::Value *skipped = bounded(b().CreateSelect(is_long, surplus, e_.i64(0)), buffer_size - 1);
  if_then(b().CreateICmpSGT(length, e_.i64(0)), [&] {
    llvm::Value *start = b().CreateGEP(b().getInt8Ty(), buffer, skipped);
    read_string(b().CreatePtrToInt(start, b().getInt64Ty()), type->size, nullptr,
                AddressSpace::kKernel, span, memory);
  });
  jump(done);
  b().SetInsertPoint(done);
  return memory;
}

}  // namespace awl::codegen
