// Loads: BPF memory directly, kernel and user memory through helpers.
//
// A chain such as `task->mm->exe_file->f_path.dentry` is one read per pointer. Members inside one
// object are collected in Place::path and become one CO-RE relocation.
#include <llvm/IR/Constants.h>

#include <algorithm>
#include <cassert>

#include "codegen/lower.h"

namespace awl::codegen {

bool is_in_memory(TypeRef type) {
  if (type->kind == TypeKind::kVoid) return false;
  return type->is_composite() || type->kind == TypeKind::kUserSymbol || type->size > 8;
}

llvm::Value *Lowering::pointer(llvm::Value *address) {
  if (address->getType()->isPointerTy()) return address;
  return b().CreateIntToPtr(address, b().getPtrTy());
}

llvm::Value *Lowering::at(llvm::Value *pointer, uint64_t offset) {
  if (offset == 0) return pointer;
  return b().CreateConstInBoundsGEP1_64(b().getInt8Ty(), pointer, offset);
}

llvm::Value *Lowering::allocate(uint64_t size, const std::string &name) {
  llvm::Value *memory =
      e_.saves_stack() ? e_.allocate_in_scratch(size, name) : e_.allocate(size, 8, name);
  aligned_.insert(memory);
  // Scratch memory is an offset from a base that dominates all of the body: so should the sum, as
  // the memory is used again elsewhere.
  auto *sum = llvm::dyn_cast<llvm::GetElementPtrInst>(memory);
  if (auto *base = sum ? llvm::dyn_cast<llvm::Instruction>(sum->getPointerOperand()) : nullptr) {
    auto position = base->getInsertionPointAfterDef();
#if LLVM_VERSION_MAJOR >= 18
    if (position) sum->moveBefore(*(*position)->getParent(), *position);
#else
    if (position) sum->moveBefore(position);
#endif
  }
  return memory;
}

// Straight stores up to this many instructions; helpers move what is larger.
constexpr uint64_t kInlineStores = 48;

void Lowering::zero(llvm::Value *pointer, uint64_t size) {
  uint64_t alignment = known_alignment(pointer);
  if (size == 0) return;
  if (size > kInlineStores * alignment) {
    e_.call(Helper::kProbeReadKernel,
            {pointer, e_.i32(static_cast<int64_t>(size)), e_.rodata_bytes("", size)});
    return;
  }
  b().CreateMemSet(pointer, e_.i8(0), size, llvm::Align(alignment));
}

void Lowering::copy(llvm::Value *to, llvm::Value *from, uint64_t size) {
  uint64_t alignment = std::min(known_alignment(to), known_alignment(from));
  if (size == 0 || size > kInlineStores * alignment) {
    // A helper, not the Emitter's copy: that one may assume more of the alignment.
    if (size) e_.call(Helper::kProbeReadKernel, {to, e_.i32(static_cast<int64_t>(size)), from});
    return;
  }
  b().CreateMemCpy(to, llvm::Align(alignment), from, llvm::Align(alignment), size);
}

llvm::Value *Lowering::temporary(uint64_t size) {
  uint64_t rounded = std::max<uint64_t>(8, (size + 7) / 8 * 8);
  auto it = function_.free.find(rounded);
  llvm::Value *memory;
  if (it != function_.free.end()) {
    memory = it->second;
    function_.free.erase(it);
  } else {
    memory = allocate(rounded, "tmp");
  }
  function_.taken.emplace_back(rounded, memory);
  return memory;
}

llvm::Value *Lowering::temporary(TypeRef type, llvm::Value *to) {
  return to ? to : temporary(type->size);
}

// Gives back the temporaries taken since `mark`.
void Lowering::release(size_t mark) {
  while (function_.taken.size() > mark) {
    function_.free.insert(function_.taken.back());
    function_.taken.pop_back();
  }
}

llvm::Value *Lowering::load(llvm::Value *pointer, TypeRef type, uint32_t offset) {
  llvm::Value *from = at(pointer, offset);
  return is_in_memory(type) ? from : load_word(from, type, type->size);
}

llvm::Value *Lowering::load_word(llvm::Value *from, TypeRef type, uint32_t alignment) {
  llvm::Type *word = b().getIntNTy(type->size * 8);
  // Volatile, LLVM does not keep values of variables in registers, of which there are few.
  llvm::Value *value = b().CreateAlignedLoad(word, from, llvm::Align(alignment), e_.saves_stack());
  bool is_signed = type->is_integer() && type->is_signed;
  return is_signed ? b().CreateSExt(value, b().getInt64Ty())
                   : b().CreateZExt(value, b().getInt64Ty());
}

void Lowering::store_value(llvm::Value *value, TypeRef type, llvm::Value *to) {
  if (is_in_memory(type)) {
    if (value != to) copy(to, value, program_.types->size_of(type));
    return;
  }
  llvm::Value *word = b().CreateTrunc(value, b().getIntNTy(type->size * 8));
  b().CreateAlignedStore(word, to, llvm::Align(type->size), e_.saves_stack());
}

Lowering::Kept Lowering::keep(llvm::Value *value) {
  bool is_word = value && value->getType()->isIntegerTy(64) && !llvm::isa<llvm::Constant>(value);
  if (!e_.saves_stack() || !is_word) return {value, nullptr};
  Kept kept{value, temporary(8)};
  b().CreateAlignedStore(value, kept.slot, llvm::Align(8), true);
  return kept;
}

llvm::Value *Lowering::take(const Kept &kept) {
  if (!kept.slot) return kept.value;
  return b().CreateAlignedLoad(b().getInt64Ty(), kept.slot, llvm::Align(8), true);
}

std::pair<llvm::Value *, llvm::Value *> Lowering::both(ast::Expr &left, ast::Expr &right) {
  Kept kept = keep(value(left));
  llvm::Value *second = value(right);
  return {take(kept), second};
}

Place Lowering::dereference(llvm::Value *address, TypeRef pointee, AddressSpace space) {
  Place place;
  place.space = space == AddressSpace::kNone ? AddressSpace::kKernel : space;
  place.base = place.space == AddressSpace::kBpf ? pointer(address) : address;
  place.type = pointee;
  return place;
}

bool Lowering::extend(Place &place, std::string_view member) {
  frontend::MemberPath found;
  if (!place.type->struct_def ||
      !find_member(*program_.types, place.type->struct_def, member, &found))
    return false;
  frontend::MemberPath &path = place.path;
  path.members.insert(path.members.end(), found.members.begin(), found.members.end());
  path.indices.insert(path.indices.end(), found.indices.begin(), found.indices.end());
  path.owners.insert(path.owners.end(), found.owners.begin(), found.owners.end());
  path.bit_offset += found.bit_offset;
  place.type = found.members.back()->type;
  return true;
}

llvm::Value *Lowering::path_offset(const frontend::MemberPath &path) {
  if (path.owners.front()->origin == StructDef::Origin::kKernel) return e_.core_byte_offset(path);
  return e_.i64(path.bit_offset / 8);
}

llvm::Value *Lowering::field_address(llvm::Value *base, const frontend::MemberPath &path) {
  return b().CreateGEP(b().getInt8Ty(), base, path_offset(path));
}

llvm::Value *Lowering::address(const Place &place) {
  if (place.path.members.empty()) return place.base;
  if (place.space == AddressSpace::kBpf) return field_address(place.base, place.path);
  return b().CreateAdd(place.base, path_offset(place.path));
}

Place Lowering::place(ast::Expr &expr) {
  auto *field = ast::as<ast::FieldAccess>(&expr);
  if (llvm::Value *memory = field ? hook_field(*field, nullptr) : nullptr) {
    return dereference(memory, expr.type, AddressSpace::kBpf);
  }
  if (field && field->object->type->kind != TypeKind::kRecord) {
    TypeRef object = field->object->type;
    Place result = object->is_pointer()
                       ? dereference(value(*field->object), object->element, object->address_space)
                       : place(*field->object);
    bool found = extend(result, field->field);
    assert(found && "check_types lets only members through");
    (void)found;
    return result;
  }
  if (auto *node = ast::as<ast::Index>(&expr)) {
    TypeRef object = node->object->type;
    Place result = object->is_pointer()
                       ? dereference(value(*node->object), object->element, object->address_space)
                       : place(*node->object);
    TypeRef element = expr.type;
    llvm::Value *position = value(*node->index);
    if (!object->is_pointer() && result.space == AddressSpace::kBpf) {
      // The verifier must see that BPF memory is not left.
      uint32_t count = object->is_string() ? object->size : object->count;
      if (!llvm::isa<llvm::ConstantInt>(position)) {
        llvm::Value *is_inside = b().CreateICmpULT(detached(position), e_.i64(count));
        result.is_inside =
            result.is_inside ? b().CreateAnd(result.is_inside, is_inside) : is_inside;
      }
      position = bounded(position, count ? count - 1 : 0);
    }
    bool is_kernel_struct =
        element->is_struct() && element->struct_def->origin == StructDef::Origin::kKernel;
    llvm::Value *size =
        is_kernel_struct ? e_.core_type_size(element) : e_.i64(program_.types->size_of(element));
    llvm::Value *offset = b().CreateMul(position, size);
    llvm::Value *base = address(result);
    // Hidden, since LLVM would make the sum of an aligned address and a small offset an `or`, which
    // the verifier does not allow on pointers.
    if (result.space == AddressSpace::kBpf) base = opaque(base);
    result.base = result.space == AddressSpace::kBpf ? b().CreateGEP(b().getInt8Ty(), base, offset)
                                                     : b().CreateAdd(base, offset);
    result.path = {};
    result.type = element;
    return result;
  }
  if (auto *node = ast::as<ast::Unary>(&expr); node && node->op == ast::UnaryOp::kDereference) {
    return dereference(value(*node->operand), expr.type, node->operand->type->address_space);
  }
  return dereference(value(expr), expr.type, AddressSpace::kBpf);
}

llvm::Value *Lowering::read_word(llvm::Value *address, uint32_t size, AddressSpace space,
                                 Span span) {
  size_t mark = function_.taken.size();
  llvm::Value *slot = temporary(8);
  llvm::Type *word = b().getIntNTy(size * 8);
  read_bytes(slot, size, address, space, span);
  llvm::Value *value = b().CreateAlignedLoad(word, slot, llvm::Align(size));
  release(mark);
  return b().CreateZExt(value, b().getInt64Ty());
}

llvm::Value *Lowering::read_bitfield(const Place &place, Span span) {
  const StructDef::Member &member = *place.bitfield();
  if (place.path.owners.front()->origin == StructDef::Origin::kKernel) {
    return normalize(e_.core_read_bitfield(place.path, pointer(place.base), span), place.type);
  }
  // A naturally aligned word of the declared type holds all bits (C's layout).
  uint32_t word_bits = place.type->size * 8;
  uint32_t word_start = place.path.bit_offset / word_bits * word_bits;
  llvm::Value *word;
  if (place.space == AddressSpace::kBpf) {
    llvm::Value *from = at(place.base, word_start / 8);
    word = b().CreateZExt(b().CreateAlignedLoad(b().getIntNTy(word_bits), from, llvm::Align(1)),
                          b().getInt64Ty());
  } else {
    word = read_word(b().CreateAdd(place.base, e_.i64(word_start / 8)), place.type->size,
                     place.space, span);
  }
  uint32_t left = 64 - (place.path.bit_offset - word_start) - member.bit_size;
  uint32_t right = 64 - member.bit_size;
  llvm::Value *shifted = b().CreateShl(word, left);
  bool is_signed = place.type->is_integer() && place.type->is_signed;
  return is_signed ? b().CreateAShr(shifted, right) : b().CreateLShr(shifted, right);
}

llvm::Value *Lowering::read(const Place &place, Span span, llvm::Value *to) {
  TypeRef type = place.type;
  if (place.is_inside && !is_in_memory(type)) {
    Place known = place;
    known.is_inside = nullptr;
    return b().CreateSelect(place.is_inside, read(known, span, to), e_.i64(0));
  }
  if (place.bitfield()) return read_bitfield(place, span);
  llvm::Value *from = address(place);
  if (!is_in_memory(type)) {
    if (place.space == AddressSpace::kBpf) {
      // Members of packed structs may lie anywhere; all else is aligned as C would.
      bool is_aligned = place.path.bit_offset / 8 % type->size == 0;
      return load_word(from, type, is_aligned ? type->size : 1);
    }
    return normalize(read_word(from, type->size, place.space, span), type);
  }
  if (type->is_string()) {
    // Arrays of char in C structs may hold anything after the NUL.
    bool is_own = place.space == AddressSpace::kBpf && place.path.members.empty();
    if (is_own) return from;
    AddressSpace space = place.space == AddressSpace::kBpf ? AddressSpace::kKernel : place.space;
    return read_string(from, type->size, nullptr, space, span, to);
  }
  if (place.space == AddressSpace::kBpf) return from;
  llvm::Value *memory = temporary(type, to);
  uint32_t size = program_.types->size_of(type);
  read_bytes(memory, size, from, place.space, span);
  return memory;
}

void Lowering::read_bytes(llvm::Value *to, uint32_t size, llvm::Value *from, AddressSpace space,
                          Span span) {
  if (space != AddressSpace::kPacket) {
    e_.probe_read(to, e_.i32(size), from, space, span);
    return;
  }
  // What the packet does not have reads as 0.
  zero(to, size);
  read_packet(to, from, size);
}

llvm::Value *Lowering::read_string(llvm::Value *address, uint32_t size, llvm::Value *limit,
                                   AddressSpace space, Span span, llvm::Value *to) {
  if (address->getType()->isPointerTy()) address = b().CreatePtrToInt(address, b().getInt64Ty());
  llvm::Value *memory = to ? to : temporary(size);
  if (!is_record_memory(to)) zero(memory, size);
  if (space == AddressSpace::kPacket) {
    // What follows a NUL must not come along.
    llvm::Value *bytes = temporary(size);
    zero(bytes, size);
    llvm::Value *most = limit ? bounded(limit, size - 1) : e_.i64(size - 1);
    copy_packet(bytes, address, most, size - 1);
    e_.call(Helper::kProbeReadKernelStr, {memory, e_.i32(size), bytes});
    return memory;
  }
  llvm::Value *bytes = e_.i32(size);
  if (limit) {
    bytes = b().CreateTrunc(bounded(limit, size), b().getInt32Ty());
  }
  llvm::Value *length = e_.probe_read_str(memory, bytes, address, space, span);
  if (limit) return memory;
  // The helper ends what it reads with a NUL. A string that fills the memory without one is one
  // that was cut, and the printer says so: put the character back that gave way to the NUL.
  if_then(b().CreateICmpEQ(length, e_.i64(size)), [&] {
    llvm::Value *last = b().CreateAdd(address, e_.i64(size - 1));
    e_.probe_read(at(memory, size - 1), e_.i32(1), last, space, span);
  });
  return memory;
}

llvm::Value *Lowering::raw_bytes(ast::Expr &from, llvm::Value *size, uint32_t most,
                                 llvm::Value *to) {
  Place source;
  auto *field = ast::as<ast::FieldAccess>(&from);
  if (from.type->is_pointer() || !is_in_memory(from.type)) {
    source =
        dereference(value(from), from.type,
                    from.type->is_pointer() ? from.type->address_space : AddressSpace::kKernel);
  } else if (llvm::Value *memory = field ? hook_field(*field, nullptr) : nullptr) {
    source = dereference(memory, from.type, AddressSpace::kBpf);
  } else if (field && is_arguments(field->object->type)) {
    source = dereference(context_address(*field), from.type, AddressSpace::kKernel);
  } else {
    source = place(from);
  }
  llvm::Value *address = this->address(source);
  if (source.space == AddressSpace::kPacket) {
    llvm::Value *wanted = b().CreateZExt(size, b().getInt64Ty());
    return b().CreateTrunc(copy_packet(to, address, wanted, most), b().getInt32Ty());
  }
  if (source.space != AddressSpace::kBpf) {
    e_.probe_read(to, size, address, source.space, from.span);
  } else {
    copy(to, address, std::min(most, from.type->size));
  }
  return size;
}

}  // namespace awl::codegen
