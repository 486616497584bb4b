// BTF → the language's types.
#include <algorithm>

#include "frontend/target/kernel_btf.h"

namespace awl::frontend {
namespace {

// Longer than any chain of pointers, arrays, typedefs and qualifiers in a real kernel.
constexpr uint32_t kMaxDepth = 64;

bool is_modifier(uint32_t kind) {
  return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
         kind == BTF_KIND_RESTRICT || kind == kBtfTypeTag;
}

// The type behind typedefs and qualifiers; 0: void or an endless chain.
uint32_t strip_modifiers(const Btf &btf, uint32_t id) {
  for (uint32_t depth = 0; depth < kMaxDepth; ++depth) {
    const btf_type *type = btf.type(id);
    if (type == nullptr) return 0;
    if (!is_modifier(kind_of(*type))) return id;
    id = type->type;
  }
  return 0;
}

// Whether `__user` stands between a pointer and what it points to.
bool has_user_tag(const Btf &btf, uint32_t id) {
  for (uint32_t depth = 0; depth < kMaxDepth; ++depth) {
    const btf_type *type = btf.type(id);
    if (type == nullptr || !is_modifier(kind_of(*type))) return false;
    if (kind_of(*type) == kBtfTypeTag && btf.name(*type) == "user") return true;
    id = type->type;
  }
  return false;
}

// Width of a bitfield that its type states (BTF from before kernel 5.0's kind_flag); 0: none.
uint32_t legacy_bitfield_size(const Btf &btf, uint32_t member_type) {
  const btf_type *type = btf.type(strip_modifiers(btf, member_type));
  if (type == nullptr || kind_of(*type) != BTF_KIND_INT) return 0;
  const uint32_t bits = BTF_INT_BITS(btf.integer_bits(*type));
  return bits < 8 * type->size ? bits : 0;
}

// Bytes of a type; 0 where that is not known. Completes no struct.
uint64_t bytes_of(const Btf &btf, uint32_t id) {
  uint64_t elements = 1;
  for (uint32_t depth = 0; depth < kMaxDepth; ++depth) {
    const btf_type *type = btf.type(strip_modifiers(btf, id));
    if (type == nullptr) return 0;
    switch (kind_of(*type)) {
      case BTF_KIND_PTR:
        return elements * 8;
      case BTF_KIND_ARRAY:
        elements *= btf.array(*type).nelems;
        if (elements > UINT32_MAX) return elements;
        id = btf.array(*type).type;
        break;
      case BTF_KIND_FWD:
      case BTF_KIND_FUNC_PROTO:
        return 0;
      default:
        return elements * type->size;
    }
  }
  return 0;
}

}  // namespace

TypeRef BtfTypes::find_struct(const std::string &tag, bool is_union) {
  const uint32_t kind = is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT;
  const KernelBtf::Found found = kernel_.find_type(tag, kind_bit(kind));
  return found.btf ? type_of(*found.btf, found.id) : nullptr;
}

TypeRef BtfTypes::find_enum(const std::string &tag) {
  const KernelBtf::Found found =
      kernel_.find_type(tag, kind_bit(BTF_KIND_ENUM) | kind_bit(kBtfEnum64));
  return found.btf ? type_of(*found.btf, found.id) : nullptr;
}

TypeRef BtfTypes::find_typedef(const std::string &name) {
  const KernelBtf::Found found =
      kernel_.find_type(name, kind_bit(BTF_KIND_TYPEDEF) | kind_bit(BTF_KIND_INT));
  if (found.btf == nullptr) return nullptr;
  const TypeRef type = type_of(*found.btf, found.id);
  // A struct without a tag is known by its typedef.
  if (type->is_struct() && type->struct_def->name.empty()) type->struct_def->typedef_name = name;
  return type;
}

bool BtfTypes::find_constant(const std::string &name, TypeStore::Constant *out) {
  const KernelBtf::Found found = kernel_.find_enumerator(name, &out->value);
  if (found.btf == nullptr) return false;
  out->of = type_of(*found.btf, found.id)->enum_def;
  return true;
}

TypeRef BtfTypes::type_of(const Btf &btf, uint32_t id) { return convert(btf, id, 0); }

TypeRef BtfTypes::convert(const Btf &btf, uint32_t id, uint32_t depth) {
  if (id < btf.first_id() && btf.base() != nullptr) return convert(*btf.base(), id, depth);
  const auto known = types_.find({&btf, id});
  if (known != types_.end()) return known->second;
  const TypeRef made = depth < kMaxDepth ? convert_new(btf, id, depth + 1) : store_.void_type();
  types_.emplace(std::pair(&btf, id), made);
  return made;
}

TypeRef BtfTypes::convert_new(const Btf &btf, uint32_t id, uint32_t depth) {
  const btf_type *type = btf.type(id);
  if (type == nullptr) return store_.void_type();
  const uint32_t kind = kind_of(*type);
  if (is_modifier(kind)) return convert(btf, strip_modifiers(btf, id), depth);
  switch (kind) {
    case BTF_KIND_INT:
      return integer_type(btf, *type);
    case BTF_KIND_FLOAT:
      return store_.array(store_.integer(1, false), type->size);
    case BTF_KIND_PTR:
      return pointer_type(btf, type->type, depth);
    case BTF_KIND_ARRAY:
      return array_type(btf, id, *type, depth);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_FWD:
      return struct_type(btf, id, *type);
    case BTF_KIND_ENUM:
    case kBtfEnum64:
      return enum_type(btf, *type);
    default:
      return store_.void_type();
  }
}

TypeRef BtfTypes::integer_type(const Btf &btf, const btf_type &type) {
  const uint32_t encoding = BTF_INT_ENCODING(btf.integer_bits(type));
  if ((encoding & BTF_INT_BOOL) != 0 && type.size == 1) return store_.boolean();
  // Since 6.2 the kernel's `char` is unsigned, as BTF then says. To a script it stays int8, which
  // is what makes an array of it a string, unlike an array of `u8`.
  const bool is_char = btf.name(type) == "char" || (encoding & BTF_INT_CHAR) != 0;
  switch (type.size) {
    case 1:
    case 2:
    case 4:
    case 8:
      return store_.integer(type.size, is_char || (encoding & BTF_INT_SIGNED) != 0);
    case 16:
      return store_.array(store_.uint64(), 2);
    default:
      return store_.void_type();
  }
}

TypeRef BtfTypes::pointer_type(const Btf &btf, uint32_t pointee, uint32_t depth) {
  const AddressSpace space =
      has_user_tag(btf, pointee) ? AddressSpace::kUser : AddressSpace::kKernel;
  return store_.pointer(convert(btf, pointee, depth), space);
}

TypeRef BtfTypes::array_type(const Btf &btf, uint32_t id, const btf_type &type, uint32_t depth) {
  if (bytes_of(btf, id) > UINT32_MAX) return store_.void_type();
  const btf_array &array = btf.array(type);
  return store_.array(convert(btf, array.type, depth), array.nelems);
}

TypeRef BtfTypes::struct_type(const Btf &btf, uint32_t id, const btf_type &type) {
  const bool is_forward = kind_of(type) == BTF_KIND_FWD;
  const bool is_union = is_forward ? kind_flag_of(type) : kind_of(type) == BTF_KIND_UNION;
  if (is_forward) {
    // Declared only where it was compiled; another part of the kernel may define it.
    const uint32_t kind = is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT;
    const KernelBtf::Found found = kernel_.find_type(std::string(btf.name(type)), kind_bit(kind));
    if (found.btf != nullptr) return convert(*found.btf, found.id, 0);
  }
  if (!is_kernel() && type.name_off != 0) {
    if (TypeRef known = first_->find_struct(std::string(btf.name(type)), is_union)) return known;
  }
  StructDef *def = store_.new_struct();
  def->name = btf.name(type);
  def->is_union = is_union;
  def->origin = is_kernel() ? StructDef::Origin::kKernel : StructDef::Origin::kScript;
  def->module = btf.module();
  def->btf_id = id;
  // One that is declared only has no members to wait for.
  def->is_complete = is_forward;
  def->size = is_forward ? 0 : type.size;
  return store_.struct_type(def);
}

void BtfTypes::complete(StructDef *def) {
  if (def->is_complete || (def->origin == StructDef::Origin::kKernel) != is_kernel()) return;
  const Btf *btf = is_kernel() ? kernel_.find(def->module) : kernel_.vmlinux();
  // One that the script or another object defines.
  if (!is_kernel() && (btf == nullptr || btf->module() != def->module)) return;
  def->is_complete = true;
  const btf_type *type = btf ? btf->type(def->btf_id) : nullptr;
  if (type == nullptr || (kind_of(*type) != BTF_KIND_STRUCT && kind_of(*type) != BTF_KIND_UNION)) {
    return;
  }
  def->size = type->size;
  const bool has_bit_sizes = kind_flag_of(*type);
  const auto members = btf->members(*type);
  def->members.reserve(members.size());
  for (const btf_member &from : members) {
    StructDef::Member member;
    member.name = btf->string(from.name_off);
    member.type = type_of(*btf, from.type);
    member.bit_offset = has_bit_sizes ? BTF_MEMBER_BIT_OFFSET(from.offset) : from.offset;
    member.bit_size = has_bit_sizes ? BTF_MEMBER_BITFIELD_SIZE(from.offset)
                                    : legacy_bitfield_size(*btf, from.type);
    member.type_text = type_text(*btf, from.type);
    def->members.push_back(std::move(member));
  }
}

TypeRef BtfTypes::enum_type(const Btf &btf, const btf_type &type) {
  EnumDef *def = store_.new_enum();
  def->name = btf.name(type);
  def->size = std::clamp<uint32_t>(type.size, 1, 8);
  def->is_signed = kind_flag_of(type);
  def->is_kernel = is_kernel();
  const uint32_t count = count_of(type);
  def->values.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t name = btf.enumerator_name(type, i);
    def->values.push_back({std::string(btf.string(name)), btf.enumerator_value(type, i)});
  }
  return store_.enum_type(def);
}

std::optional<FunctionSignature> BtfTypes::signature(const Btf &btf, uint32_t id, uint32_t first) {
  const btf_type *type = btf.type(id);
  if (type != nullptr && kind_of(*type) == BTF_KIND_FUNC) {
    id = type->type;
    type = btf.type(id);
  }
  if (type == nullptr || kind_of(*type) != BTF_KIND_FUNC_PROTO) return std::nullopt;
  FunctionSignature signature;
  signature.module = btf.module();
  signature.return_type = type_of(btf, type->type);
  signature.return_type_text = type_text(btf, type->type);
  const auto parameters = btf.parameters(*type);
  for (uint32_t i = first; i < parameters.size(); ++i) {
    const btf_param &parameter = parameters[i];
    // The last one of a variadic function has neither name nor type.
    if (parameter.name_off == 0 && parameter.type == 0) break;
    signature.parameters.push_back({std::string(btf.string(parameter.name_off)),
                                    type_of(btf, parameter.type), type_text(btf, parameter.type)});
  }
  return signature;
}

}  // namespace awl::frontend
