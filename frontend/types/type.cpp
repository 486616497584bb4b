#include "frontend/types/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "frontend/types/type_names.h"
#include "runtime/object/histogram.h"
#include "runtime/object/tseries.h"

namespace awl::frontend {
namespace {

// Anonymous members nest no deeper than this; type information from outside may be made to loop.
constexpr int kMaxAnonymousDepth = 32;

uint32_t align_up(uint32_t value, uint32_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

void add_to_key(std::string &key, uint64_t value) {
  key.append(reinterpret_cast<const char *>(&value), sizeof(value));
}
void add_to_key(std::string &key, const void *pointer) {
  add_to_key(key, reinterpret_cast<uintptr_t>(pointer));
}
void add_to_key(std::string &key, std::string_view text) {
  add_to_key(key, text.size());
  key += text;
}

// What distinguishes a type from all others; equal types have equal keys. Structs and arrays of
// them may learn their size late, so it is no part of the key.
std::string key_of(const Type &type) {
  const bool has_late_size = type.kind == TypeKind::kStruct || type.kind == TypeKind::kArray;
  const AggregationParameters &parameters = type.parameters;
  std::string key;
  for (const uint64_t value :
       {static_cast<uint64_t>(type.kind), uint64_t{has_late_size ? 0 : type.size},
        uint64_t{type.is_signed}, uint64_t{type.count}, static_cast<uint64_t>(type.address_space),
        static_cast<uint64_t>(type.stack_mode), static_cast<uint64_t>(type.stack_limit),
        uint64_t{type.is_unwound}, static_cast<uint64_t>(parameters.bits),
        static_cast<uint64_t>(parameters.min), static_cast<uint64_t>(parameters.max),
        static_cast<uint64_t>(parameters.step), static_cast<uint64_t>(parameters.interval_ns),
        static_cast<uint64_t>(parameters.intervals)})
    add_to_key(key, value);
  add_to_key(key, type.element);
  add_to_key(key, type.struct_def);
  add_to_key(key, type.enum_def);
  add_to_key(key, std::string_view(type.format));
  add_to_key(key, std::string_view(parameters.function));
  for (const TypeField &field : type.fields) {
    add_to_key(key, std::string_view(field.name));
    add_to_key(key, field.type);
  }
  return key;
}

struct SimpleKind {
  TypeKind kind;
  const char *name;
  uint32_t size;
  uint32_t alignment;
};

// The kinds that have no parameters.
constexpr SimpleKind kSimpleKinds[] = {
    {TypeKind::kVoid, "void", 0, 1},
    {TypeKind::kBool, "bool", 1, 1},
    {TypeKind::kKernelSymbol, "ksym_t", 8, 8},
    {TypeKind::kUserSymbol, "usym_t", 16, 8},
    {TypeKind::kInet, "inet", 20, 4},
    {TypeKind::kMacAddress, "mac_address", 6, 1},
    {TypeKind::kUsername, "username_t", 4, 4},
    {TypeKind::kTimestamp, "timestamp", 8, 8},
    {TypeKind::kCgroupPath, "cgroup_path_t", 8, 8},
    {TypeKind::kProbeName, "probe_t", 4, 4},
    {TypeKind::kProbeType, "probetype_t", 4, 4},
    {TypeKind::kCount, "count_t", 8, 8},
    {TypeKind::kSum, "sum_t", 8, 8},
    {TypeKind::kMin, "min_t", 16, 8},
    {TypeKind::kMax, "max_t", 16, 8},
    {TypeKind::kAvg, "avg_t", 16, 8},
    {TypeKind::kStats, "stats_t", 16, 8},
    {TypeKind::kHist, "hist_t", 0, 8},
    {TypeKind::kLhist, "lhist_t", 0, 8},
    {TypeKind::kTseries, "tseries_t", 0, 8},
};

const SimpleKind *simple_kind(TypeKind kind) {
  for (const SimpleKind &simple : kSimpleKinds) {
    if (simple.kind == kind) return &simple;
  }
  return nullptr;
}

// Alignment of a struct whose definition does not state it: that of its members, unless its layout
// shows that it is packed.
uint32_t natural_alignment(const StructDef &def) {
  uint32_t alignment = 1;
  for (const StructDef::Member &member : def.members) {
    if (!member.type || member.bit_size) continue;
    uint32_t wanted = std::max(member.type->alignment, 1u);
    if (member.bit_offset / 8 % wanted == 0) alignment = std::max(alignment, wanted);
  }
  while (alignment > 1 && def.size % alignment != 0) alignment /= 2;
  return alignment;
}

std::string fields_to_string(const Type &type) {
  std::string text = type.kind == TypeKind::kTuple ? "(" : "record { ";
  bool is_first = true;
  for (const TypeField &field : type.fields) {
    if (!is_first) text += type.kind == TypeKind::kTuple ? "," : ", ";
    is_first = false;
    if (type.kind == TypeKind::kRecord) text += "." + field.name + " = ";
    text += to_string(field.type);
  }
  return text + (type.kind == TypeKind::kTuple ? ")" : " }");
}

}  // namespace

std::string to_string(TypeRef type) {
  if (!type) return "none";
  switch (type->kind) {
    case TypeKind::kInteger:
      return fmt::format("{}int{}", type->is_signed ? "" : "u", type->size * 8);
    case TypeKind::kEnum:
      return "enum " + (type->enum_def->name.empty() ? "(unnamed)" : type->enum_def->name);
    case TypeKind::kString:
      return type->size ? fmt::format("string[{}]", type->size) : "string";
    case TypeKind::kBuffer:
      return fmt::format("buffer[{}]", type->size);
    case TypeKind::kPointer:
      return to_string(type->element) + " *";
    case TypeKind::kArray: {
      // An array of arrays reads from the outside in: int32[2][3] is two of int32[3].
      TypeRef element = type;
      std::string dimensions;
      for (; element->kind == TypeKind::kArray; element = element->element) {
        dimensions += fmt::format("[{}]", element->count);
      }
      return to_string(element) + dimensions;
    }
    case TypeKind::kStruct:
      return (type->struct_def->is_union ? "union " : "struct ") +
             (type->struct_def->name.empty() ? "(unnamed)" : type->struct_def->name);
    case TypeKind::kTuple:
    case TypeKind::kRecord:
      return fields_to_string(*type);
    case TypeKind::kKernelStack:
    case TypeKind::kUserStack:
      return fmt::format("{}{}stack_{}_{}", type->is_unwound ? "dw_" : "",
                         type->kind == TypeKind::kKernelStack ? "k" : "u",
                         stack_mode_name(type->stack_mode), type->stack_limit);
    default:
      break;
  }
  const SimpleKind *simple = simple_kind(type->kind);
  if (!simple) return "unknown";
  bool has_sign = type->kind >= TypeKind::kSum && type->kind <= TypeKind::kStats;
  return has_sign && !type->is_signed ? std::string("u") + simple->name : simple->name;
}

TypeStore::TypeStore() = default;

void TypeStore::set_resolver(Resolver *resolver) {
  resolver_ = resolver;
  resolved_ = {};
}

TypeRef TypeStore::intern(Type type) {
  auto [entry, is_new] = interned_.try_emplace(key_of(type), nullptr);
  if (is_new) {
    types_.push_back(std::move(type));
    entry->second = &types_.back();
  }
  return entry->second;
}

TypeRef TypeStore::void_type() { return simple(TypeKind::kVoid); }
TypeRef TypeStore::boolean() { return simple(TypeKind::kBool); }

TypeRef TypeStore::integer(uint32_t bytes, bool is_signed) {
  Type type;
  type.kind = TypeKind::kInteger;
  type.size = type.alignment = bytes;
  type.is_signed = is_signed;
  return intern(std::move(type));
}

TypeRef TypeStore::string(uint32_t bytes) {
  Type type;
  type.kind = TypeKind::kString;
  type.size = bytes;
  return intern(std::move(type));
}

TypeRef TypeStore::buffer(uint32_t bytes) {
  Type type;
  type.kind = TypeKind::kBuffer;
  type.size = bytes + 4;
  type.alignment = 4;
  type.count = bytes;
  return intern(std::move(type));
}

TypeRef TypeStore::pointer(TypeRef element, AddressSpace space) {
  Type type;
  type.kind = TypeKind::kPointer;
  type.size = type.alignment = 8;
  type.element = element;
  type.address_space = space;
  return intern(std::move(type));
}

TypeRef TypeStore::array(TypeRef element, uint32_t count) {
  Type type;
  type.kind = TypeKind::kArray;
  type.element = element;
  type.count = count;
  uint64_t bytes = uint64_t{element->size} * count;
  type.size = bytes > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(bytes);
  type.alignment = element->alignment;
  return intern(std::move(type));
}

TypeRef TypeStore::struct_type(StructDef *def) {
  Type type;
  type.kind = TypeKind::kStruct;
  type.struct_def = def;
  if (def->is_complete) {
    type.size = def->size;
    type.alignment = def->alignment ? def->alignment : natural_alignment(*def);
  }
  return intern(std::move(type));
}

TypeRef TypeStore::enum_type(const EnumDef *def) {
  Type type;
  type.kind = TypeKind::kEnum;
  type.size = type.alignment = def->size;
  type.is_signed = def->is_signed;
  type.enum_def = def;
  return intern(std::move(type));
}

TypeRef TypeStore::tuple(const std::vector<TypeRef> &elements) {
  std::vector<std::pair<std::string, TypeRef>> fields;
  for (TypeRef element : elements) fields.emplace_back("", element);
  return aggregate(TypeKind::kTuple, fields);
}

TypeRef TypeStore::record(const std::vector<std::pair<std::string, TypeRef>> &fields) {
  return aggregate(TypeKind::kRecord, fields);
}

TypeRef TypeStore::aggregate(TypeKind kind,
                             const std::vector<std::pair<std::string, TypeRef>> &fields) {
  Type type;
  type.kind = kind;
  uint32_t offset = 0;
  for (const auto &[name, field_type] : fields) {
    uint32_t size = size_of(field_type);
    uint32_t alignment = std::max(field_type->alignment, 1u);
    offset = align_up(offset, alignment);
    type.fields.push_back({name, field_type, offset});
    offset += size;
    type.alignment = std::max(type.alignment, alignment);
  }
  type.size = align_up(offset, type.alignment);
  return intern(std::move(type));
}

TypeRef TypeStore::kernel_stack(StackMode mode, uint32_t limit) {
  Type type;
  type.kind = TypeKind::kKernelStack;
  type.size = 8;
  type.alignment = 8;
  type.stack_mode = mode;
  type.stack_limit = limit;
  return intern(std::move(type));
}

TypeRef TypeStore::user_stack(StackMode mode, uint32_t limit, bool is_unwound) {
  Type type;
  type.kind = TypeKind::kUserStack;
  type.size = 16;
  type.alignment = 8;
  type.stack_mode = mode;
  type.stack_limit = limit;
  type.is_unwound = is_unwound;
  return intern(std::move(type));
}

TypeRef TypeStore::simple(TypeKind kind) {
  Type type;
  type.kind = kind;
  if (const SimpleKind *simple = simple_kind(kind)) {
    type.size = simple->size;
    type.alignment = simple->alignment;
  }
  return intern(std::move(type));
}

TypeRef TypeStore::timestamp(std::string format) {
  Type type = *simple(TypeKind::kTimestamp);
  type.format = std::move(format);
  return intern(std::move(type));
}

TypeRef TypeStore::cgroup_path(std::string filter) {
  Type type = *simple(TypeKind::kCgroupPath);
  type.format = std::move(filter);
  return intern(std::move(type));
}

TypeRef TypeStore::aggregation(TypeKind kind, bool is_signed, AggregationParameters parameters) {
  Type type = *simple(kind);
  type.is_signed = is_signed;
  if (kind == TypeKind::kHist) type.count = object::hist_bucket_count(parameters.bits);
  if (kind == TypeKind::kLhist && parameters.step > 0 && parameters.min < parameters.max) {
    type.count = object::lhist_bucket_count(parameters.min, parameters.max, parameters.step);
  }
  if (type.count) type.size = type.count * 8;
  if (kind == TypeKind::kTseries) type.size = object::series_size(parameters.intervals);
  type.parameters = std::move(parameters);
  return intern(std::move(type));
}

StructDef *TypeStore::new_struct() { return &struct_defs_.emplace_back(); }
EnumDef *TypeStore::new_enum() { return &enum_defs_.emplace_back(); }

void TypeStore::define_struct(const std::string &tag, bool is_union, StructDef *def) {
  structs_[{tag, is_union}] = def;
}

void TypeStore::define_enum(const std::string &tag, EnumDef *def) { enums_[tag] = def; }

void TypeStore::define_typedef(const std::string &name, TypeRef type) { typedefs_[name] = type; }

void TypeStore::define_constant(const std::string &name, int64_t value, const EnumDef *of) {
  constants_[name] = {value, of};
}

TypeRef TypeStore::find_struct(const std::string &tag, bool is_union) {
  auto found = structs_.find({tag, is_union});
  if (found != structs_.end()) return struct_type(found->second);
  if (!resolver_) return nullptr;
  auto [entry, is_new] = resolved_.structs.try_emplace({tag, is_union}, nullptr);
  if (is_new) entry->second = resolver_->find_struct(tag, is_union);
  return entry->second;
}

TypeRef TypeStore::find_enum(const std::string &tag) {
  auto found = enums_.find(tag);
  if (found != enums_.end()) return enum_type(found->second);
  if (!resolver_) return nullptr;
  auto [entry, is_new] = resolved_.enums.try_emplace(tag, nullptr);
  if (is_new) entry->second = resolver_->find_enum(tag);
  return entry->second;
}

TypeRef TypeStore::find_named(const std::string &written) {
  std::string name = without_qualifiers(written);
  auto found = typedefs_.find(name);
  if (found != typedefs_.end()) return found->second;
  if (const auto known = named_integer(name)) return integer(known->bytes, known->is_signed);
  if (const auto kind = named_kind(name)) return simple(*kind);
  if (name == "string") return string(0);
  // Kernels since 6.2 are compiled with unsigned chars, and their type information says so.
  if (name == "char") {
    if (TypeRef type = resolve_typedef(name)) return type;
  }
  if (name == "timestamp") return timestamp("");
  if (const auto c_integer = parse_c_integer(name)) {
    return integer(c_integer->bytes, c_integer->is_signed);
  }
  return resolve_typedef(name);
}

TypeRef TypeStore::resolve_typedef(const std::string &name) {
  if (!resolver_) return nullptr;
  auto [entry, is_new] = resolved_.typedefs.try_emplace(name, nullptr);
  if (is_new) entry->second = resolver_->find_typedef(name);
  return entry->second;
}

bool TypeStore::find_constant(const std::string &name, Constant *out) {
  auto found = constants_.find(name);
  if (found != constants_.end()) {
    *out = found->second;
    return true;
  }
  if (!resolver_) return false;
  auto [entry, is_new] = resolved_.constants.try_emplace(name, std::nullopt);
  if (is_new) {
    Constant constant;
    if (resolver_->find_constant(name, &constant)) entry->second = constant;
  }
  if (entry->second) *out = *entry->second;
  return entry->second.has_value();
}

const StructDef &TypeStore::complete(StructDef *def) {
  bool has_resolver = def->origin == StructDef::Origin::kKernel ||
                      def->origin == StructDef::Origin::kScript;  // also that of a user binary
  if (!def->is_complete && resolver_ && has_resolver) {
    resolver_->complete(def);
    if (def->is_complete) update_struct(def);
  }
  return *def;
}

TypeRef TypeStore::update_struct(StructDef *def) {
  TypeRef found = struct_type(def);
  // The types handed out are immutable to all but their owner, the store.
  Type *type = const_cast<Type *>(found);
  type->size = def->size;
  type->alignment = def->alignment ? def->alignment : natural_alignment(*def);
  return found;
}

uint32_t TypeStore::size_of(TypeRef type) {
  if (type->kind == TypeKind::kStruct) return complete(type->struct_def).size;
  if (type->kind != TypeKind::kArray) return type->size;
  uint64_t bytes = uint64_t{size_of(type->element)} * type->count;
  return bytes > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(bytes);
}

namespace {

bool find_in(TypeStore &store, StructDef *def, std::string_view name, int depth, MemberPath *out) {
  const StructDef &complete = store.complete(def);
  auto enter = [&](size_t index) {
    const StructDef::Member &member = complete.members[index];
    out->members.push_back(&member);
    out->indices.push_back(static_cast<uint32_t>(index));
    out->owners.push_back(&complete);
    out->bit_offset += member.bit_offset;
  };
  for (size_t i = 0; i < complete.members.size(); ++i) {
    if (complete.members[i].name == name) return enter(i), true;
  }
  if (depth == 0) return false;
  for (size_t i = 0; i < complete.members.size(); ++i) {
    const StructDef::Member &member = complete.members[i];
    if (!member.name.empty() || !member.type || !member.type->is_struct()) continue;
    enter(i);
    if (find_in(store, member.type->struct_def, name, depth - 1, out)) return true;
    out->members.pop_back();
    out->indices.pop_back();
    out->owners.pop_back();
    out->bit_offset -= member.bit_offset;
  }
  return false;
}

}  // namespace

bool find_member(TypeStore &store, StructDef *def, std::string_view name, MemberPath *out) {
  *out = {};
  return !name.empty() && find_in(store, def, name, kMaxAnonymousDepth, out);
}

}  // namespace awl::frontend
