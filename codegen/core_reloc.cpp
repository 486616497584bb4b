#include "codegen/core_reloc.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/IntrinsicsBPF.h>

#include <algorithm>
#include <atomic>
#include <cassert>

#include "codegen/emitter_state.h"

namespace awl::codegen {
namespace {

using frontend::MemberPath;
using frontend::StructDef;
using frontend::TypeKind;
using frontend::TypeRef;

// enum bpf_core_relo_kind in the order of llvm.bpf.preserve.type.info and .enum.value.
constexpr uint64_t kTypeSize = 1;
constexpr uint64_t kEnumeratorExists = 0, kEnumeratorValue = 1;

llvm::Function *intrinsic(llvm::Module &module, llvm::Intrinsic::ID id,
                          llvm::ArrayRef<llvm::Type *> types = {}) {
#if LLVM_VERSION_MAJOR >= 20
  return llvm::Intrinsic::getOrInsertDeclaration(&module, id, types);
#else
  return llvm::Intrinsic::getDeclaration(&module, id, types);
#endif
}

// As enum bpf_func_id names it, for those which kernels that awl runs on may lack.
const char *helper_name(Helper helper) {
  switch (helper) {
    case Helper::kRingbufOutput:
      return "BPF_FUNC_ringbuf_output";
    case Helper::kRingbufReserve:
      return "BPF_FUNC_ringbuf_reserve";
    case Helper::kDPath:
      return "BPF_FUNC_d_path";
    case Helper::kPerCpuPtr:
      return "BPF_FUNC_per_cpu_ptr";
    case Helper::kThisCpuPtr:
      return "BPF_FUNC_this_cpu_ptr";
    case Helper::kGetCurrentTaskBtf:
      return "BPF_FUNC_get_current_task_btf";
    case Helper::kForEachMapElem:
      return "BPF_FUNC_for_each_map_elem";
    case Helper::kGetFuncIp:
      return "BPF_FUNC_get_func_ip";
    case Helper::kGetAttachCookie:
      return "BPF_FUNC_get_attach_cookie";
    case Helper::kTaskPtRegs:
      return "BPF_FUNC_task_pt_regs";
    case Helper::kLoop:
      return "BPF_FUNC_loop";
    case Helper::kMapLookupPercpu:
      return "BPF_FUNC_map_lookup_percpu_elem";
    case Helper::kRingbufReserveDynptr:
      return "BPF_FUNC_ringbuf_reserve_dynptr";
    case Helper::kRingbufSubmitDynptr:
      return "BPF_FUNC_ringbuf_submit_dynptr";
    case Helper::kDynptrWrite:
      return "BPF_FUNC_dynptr_write";
    case Helper::kKtimeGetTaiNs:
      return "BPF_FUNC_ktime_get_tai_ns";
    default:
      return nullptr;  // in 5.10 already
  }
}

}  // namespace

CoreTypes::CoreTypes(llvm::Module &module, llvm::IRBuilder<> &builder, DebugInfo &debug,
                     frontend::TypeStore &types)
    : module_(module), builder_(builder), debug_(debug), types_(types) {
  static std::atomic<uint32_t> modules = 0;
  modules_before_ = modules++;
}

std::string CoreTypes::flavored(const std::string &name) const {
  if (name.empty() || modules_before_ == 0) return name;
  const bool has_flavor = name.find("___") != std::string::npos;
  return name + (has_flavor ? "_" : "___") + std::to_string(modules_before_);
}

bool CoreTypes::is_relocatable(const MemberPath &path) {
  return !path.owners.empty() && path.owners[0]->origin == StructDef::Origin::kKernel &&
         !path.owners[0]->name.empty();
}

// Distinct, so that members or enumerators can be added when they are known.
llvm::DICompositeType *CoreTypes::distinct_type(unsigned tag, const std::string &name,
                                                llvm::DIType *base, uint32_t size) {
  return llvm::DICompositeType::getDistinct(module_.getContext(), tag, flavored(name),
                                            debug_.file(0), 0, nullptr, base, uint64_t{size} * 8, 0,
                                            0, llvm::DINode::FlagZero, llvm::DINodeArray(), 0,
#if LLVM_VERSION_MAJOR >= 20
                                            /*EnumKind=*/std::nullopt,
#endif
                                            nullptr);
}

CoreTypes::Local &CoreTypes::local(const StructDef *def) {
  Local &entry = locals_[def];
  if (!entry.type) {
    auto tag = def->is_union ? llvm::dwarf::DW_TAG_union_type : llvm::dwarf::DW_TAG_structure_type;
    entry.type = distinct_type(tag, def->name, nullptr, def->size);
    order_.push_back(def);
  }
  return entry;
}

void CoreTypes::use(const StructDef *owner, const StructDef::Member *member) {
  Local &entry = local(owner);
  if (std::find(entry.members.begin(), entry.members.end(), member) == entry.members.end()) {
    entry.members.push_back(member);
  }
}

llvm::Value *CoreTypes::field_info(const MemberPath &path, FieldInfo info) {
  llvm::Value *at = llvm::ConstantPointerNull::get(builder_.getPtrTy());
  for (size_t i = 0; i < path.members.size(); ++i) {
    const StructDef *owner = path.owners[i];
    use(owner, path.members[i]);
    // The index is put in by finalize().
    llvm::MDNode *type = local(owner).type;
    llvm::Type *byte = builder_.getInt8Ty();
    auto *element = llvm::StructType::get(module_.getContext(), llvm::ArrayRef<llvm::Type *>(byte));
    llvm::Value *access = owner->is_union
                              ? builder_.CreatePreserveUnionAccessIndex(at, 0, type)
                              : builder_.CreatePreserveStructAccessIndex(element, at, 0, 0, type);
    accesses_.push_back({llvm::cast<llvm::CallInst>(access), owner, path.members[i]});
    at = access;
  }
  llvm::Function *function =
      intrinsic(module_, llvm::Intrinsic::bpf_preserve_field_info, {builder_.getPtrTy()});
  return builder_.CreateCall(function, {at, builder_.getInt64(static_cast<uint64_t>(info))});
}

llvm::Value *CoreTypes::type_size(const StructDef *def) {
  llvm::Function *function = intrinsic(module_, llvm::Intrinsic::bpf_preserve_type_info);
  llvm::CallInst *call =
      builder_.CreateCall(function, {builder_.getInt32(serial_++), builder_.getInt64(kTypeSize)});
  call->setMetadata(llvm::LLVMContext::MD_preserve_access_index, local(def).type);
  return call;
}

CoreTypes::LocalEnum &CoreTypes::local_enum(const std::string &name, uint32_t size,
                                            bool is_signed) {
  LocalEnum &entry = enums_[name];
  if (!entry.type) {
    entry.is_signed = is_signed;
    entry.type = distinct_type(llvm::dwarf::DW_TAG_enumeration_type, name,
                               debug_.integer(size, is_signed), size);
  }
  return entry;
}

llvm::Value *CoreTypes::enumerator(const std::string &enum_name, uint32_t size, bool is_signed,
                                   const std::string &name, int64_t value, bool is_existence) {
  LocalEnum &entry = local_enum(enum_name, size, is_signed);
  auto same_name = [&](const auto &known) { return known.first == name; };
  if (std::none_of(entry.values.begin(), entry.values.end(), same_name)) {
    entry.values.emplace_back(name, value);
  }
  // The BPF target reads "<name>:<value>" from the global.
  auto *text =
      llvm::ConstantDataArray::getString(module_.getContext(), name + ":" + std::to_string(value));
  auto *global = new llvm::GlobalVariable(module_, text->getType(), true,
                                          llvm::GlobalValue::PrivateLinkage, text, "enumerator");
  llvm::Function *function = intrinsic(module_, llvm::Intrinsic::bpf_preserve_enum_value);
  uint64_t kind = is_existence ? kEnumeratorExists : kEnumeratorValue;
  llvm::CallInst *call = builder_.CreateCall(
      function, {builder_.getInt32(serial_++), global, builder_.getInt64(kind)});
  call->setMetadata(llvm::LLVMContext::MD_preserve_access_index, entry.type);
  return call;
}

// As much of a member's type as the loader compares: what kind of type it is.
llvm::DIType *CoreTypes::member_type(TypeRef type) {
  llvm::DIBuilder &builder = debug_.builder();
  switch (type->kind) {
    case TypeKind::kPointer:
      return debug_.pointer(nullptr);
    case TypeKind::kStruct:
      types_.complete(type->struct_def);  // its size is wanted
      return local(type->struct_def).type;
    case TypeKind::kArray:
      return debug_.array(member_type(type->element), type->count);
    case TypeKind::kString:
      return debug_.array(debug_.character(), type->size);
    case TypeKind::kBuffer:
      return debug_.array(debug_.integer(1, false), type->size);
    case TypeKind::kBool:
      return debug_.boolean();
    case TypeKind::kEnum:
      if (type->enum_def && !type->enum_def->name.empty()) {
        return local_enum(type->enum_def->name, type->size, type->is_signed).type;
      }
      return builder.createEnumerationType(debug_.unit(), "", debug_.file(0), 0, type->size * 8, 0,
                                           builder.getOrCreateArray({}),
                                           debug_.integer(type->size, type->is_signed));
    default:
      return debug_.integer(types_.size_of(type), type->is_signed);
  }
}

void CoreTypes::fill(const StructDef *def, Local &entry) {
  std::stable_sort(entry.members.begin(), entry.members.end(),
                   [](const auto *a, const auto *b) { return a->bit_offset < b->bit_offset; });
  llvm::DIBuilder &builder = debug_.builder();
  std::vector<llvm::Metadata *> nodes;
  for (const StructDef::Member *member : entry.members) {
    llvm::DIType *type = member_type(member->type);
    if (member->bit_size == 0) {
      nodes.push_back(builder.createMemberType(locals_[def].type, member->name, debug_.file(0), 0,
                                               uint64_t{types_.size_of(member->type)} * 8, 0,
                                               member->bit_offset, llvm::DINode::FlagZero, type));
      continue;
    }
    uint32_t storage_bits = std::max(member->type->size, 1u) * 8;
    uint32_t storage = member->bit_offset / storage_bits * storage_bits;
    nodes.push_back(builder.createBitFieldMemberType(
        locals_[def].type, member->name, debug_.file(0), 0, member->bit_size, member->bit_offset,
        storage, llvm::DINode::FlagZero, type));
  }
  locals_[def].type->replaceElements(builder.getOrCreateArray(nodes));
}

void CoreTypes::finalize() {
  // Filling one in may declare others: `order_` grows.
  for (size_t i = 0; i < order_.size(); ++i) {
    Local entry = locals_[order_[i]];
    fill(order_[i], entry);
    locals_[order_[i]].members = entry.members;
  }
  llvm::DIBuilder &builder = debug_.builder();
  for (auto &[name, entry] : enums_) {
    std::vector<llvm::Metadata *> nodes;
    for (const auto &[enumerator, value] : entry.values) {
      nodes.push_back(
          builder.createEnumerator(enumerator, static_cast<uint64_t>(value), !entry.is_signed));
    }
    entry.type->replaceElements(builder.getOrCreateArray(nodes));
  }
  for (const Access &access : accesses_) {
    const auto &members = locals_[access.owner].members;
    auto index = std::find(members.begin(), members.end(), access.member) - members.begin();
    unsigned argument = access.owner->is_union ? 1 : 2;
    access.call->setArgOperand(argument, builder_.getInt32(static_cast<uint32_t>(index)));
  }
}

// ---- the Emitter's operations
// ---------------------------------------------------------------------

llvm::Value *Emitter::core_byte_offset(const MemberPath &path) {
  if (!CoreTypes::is_relocatable(path)) return i64(path.bit_offset / 8);
  llvm::Value *offset = s_->core.field_info(path, FieldInfo::kByteOffset);
  return s_->builder.CreateZExt(offset, s_->builder.getInt64Ty(), "offset");
}

llvm::Value *Emitter::core_read_bitfield(const MemberPath &path, llvm::Value *base,
                                         frontend::Span span) {
  llvm::IRBuilder<> &b = s_->builder;
  assert(!path.members.empty() && path.members.back()->bit_size != 0);
  const StructDef::Member &member = *path.members.back();
  auto info = [&](FieldInfo kind) {
    return b.CreateZExt(s_->core.field_info(path, kind), b.getInt64Ty());
  };
  llvm::Value *offset, *size, *left, *right;
  if (CoreTypes::is_relocatable(path)) {
    offset = info(FieldInfo::kByteOffset);
    size = s_->core.field_info(path, FieldInfo::kByteSize);
    left = info(FieldInfo::kLeftShift);
    right = info(FieldInfo::kRightShift);
  } else {
    // The smallest aligned word that holds all bits (little-endian numbering).
    uint32_t bits = 8;
    while (bits < 64 && path.bit_offset / bits != (path.bit_offset + member.bit_size - 1) / bits)
      bits *= 2;
    uint32_t first = path.bit_offset / bits * bits;
    offset = i64(first / 8);
    size = i32(bits / 8);
    left = i64(64 - (path.bit_offset - first) - member.bit_size);
    right = i64(64 - member.bit_size);
  }
  llvm::Value *word = s_->stack_slot(b.getInt64Ty(), "bitfield");
  b.CreateAlignedStore(i64(0), word, llvm::Align(8));
  llvm::Value *address = b.CreateGEP(b.getInt8Ty(), base, offset);
  probe_read(word, size, address, frontend::AddressSpace::kKernel, span);
  llvm::Value *value = b.CreateShl(b.CreateAlignedLoad(b.getInt64Ty(), word, llvm::Align(8)), left);
  return member.type->is_signed ? b.CreateAShr(value, right) : b.CreateLShr(value, right);
}

llvm::Value *Emitter::core_field_exists(const MemberPath &path) {
  if (!CoreTypes::is_relocatable(path)) return s_->builder.getTrue();
  return s_->builder.CreateICmpNE(s_->core.field_info(path, FieldInfo::kExists), i32(0));
}

llvm::Value *Emitter::core_type_size(TypeRef type) {
  bool is_relocatable = type->is_struct() &&
                        type->struct_def->origin == StructDef::Origin::kKernel &&
                        !type->struct_def->name.empty();
  if (!is_relocatable) return i64(s_->checked.types->size_of(type));
  s_->checked.types->complete(type->struct_def);
  return s_->builder.CreateZExt(s_->core.type_size(type->struct_def), s_->builder.getInt64Ty(),
                                "size");
}

llvm::Value *Emitter::core_enum_value(const frontend::EnumDef &def, const std::string &enumerator) {
  for (const frontend::EnumDef::Value &value : def.values) {
    if (value.name != enumerator) continue;
    if (!def.is_kernel || def.name.empty()) return i64(value.value);
    return s_->core.enumerator(def.name, def.size, def.is_signed, enumerator, value.value, false);
  }
  return i64(0);
}

llvm::Value *Emitter::core_helper_exists(Helper helper) {
  const char *name = helper_name(helper);
  if (!name) return s_->builder.getTrue();
  llvm::Value *exists =
      s_->core.enumerator("bpf_func_id", 4, false, name, static_cast<int>(helper), true);
  return s_->builder.CreateICmpNE(exists, i64(0));
}

}  // namespace awl::codegen
