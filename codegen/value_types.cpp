#include "codegen/value_types.h"

#include "frontend/types/type_names.h"
#include "runtime/object/histogram.h"
#include "runtime/object/tseries.h"

namespace awl::codegen {
namespace {

using frontend::TypeKind;
using frontend::TypeRef;
using frontend::TypeStore;
using object::ValueKind;
using object::ValueType;

// Structs contain structs; printing one of the kernel's whole goes no deeper than this.
constexpr int kMaxDepth = 8;

ValueKind value_kind(TypeKind kind) {
  switch (kind) {
    case TypeKind::kVoid:
      return ValueKind::kVoid;
    case TypeKind::kBool:
      return ValueKind::kBool;
    case TypeKind::kInteger:
      return ValueKind::kInteger;
    case TypeKind::kEnum:
      return ValueKind::kEnum;
    case TypeKind::kString:
      return ValueKind::kString;
    case TypeKind::kBuffer:
      return ValueKind::kBuffer;
    case TypeKind::kPointer:
      return ValueKind::kPointer;
    case TypeKind::kArray:
      return ValueKind::kArray;
    case TypeKind::kStruct:
      return ValueKind::kStruct;
    case TypeKind::kTuple:
      return ValueKind::kTuple;
    case TypeKind::kRecord:
      return ValueKind::kRecord;
    case TypeKind::kKernelStack:
      return ValueKind::kKernelStack;
    case TypeKind::kUserStack:
      return ValueKind::kUserStack;
    case TypeKind::kKernelSymbol:
      return ValueKind::kKernelSymbol;
    case TypeKind::kUserSymbol:
      return ValueKind::kUserSymbol;
    case TypeKind::kInet:
      return ValueKind::kInet;
    case TypeKind::kMacAddress:
      return ValueKind::kMacAddress;
    case TypeKind::kUsername:
      return ValueKind::kUsername;
    case TypeKind::kTimestamp:
      return ValueKind::kTimestamp;
    case TypeKind::kCgroupPath:
      return ValueKind::kCgroupPath;
    case TypeKind::kProbeName:
      return ValueKind::kProbeName;
    case TypeKind::kProbeType:
      return ValueKind::kProbeType;
    case TypeKind::kCount:
      return ValueKind::kCount;
    case TypeKind::kSum:
      return ValueKind::kSum;
    case TypeKind::kMin:
      return ValueKind::kMin;
    case TypeKind::kMax:
      return ValueKind::kMax;
    case TypeKind::kAvg:
      return ValueKind::kAvg;
    case TypeKind::kStats:
      return ValueKind::kStats;
    case TypeKind::kHist:
      return ValueKind::kHist;
    case TypeKind::kLhist:
      return ValueKind::kLhist;
    case TypeKind::kTseries:
      return ValueKind::kTseries;
  }
  return ValueKind::kVoid;
}

ValueType convert(TypeRef type, TypeStore &types, int depth);

// An array of char.
bool is_text(TypeRef type) {
  return type->kind == TypeKind::kArray && type->element &&
         type->element->kind == TypeKind::kInteger && type->element->size == 1 &&
         type->element->is_signed;
}

// Members of an anonymous struct or union, `offset` bytes into the outer one, are the outer one's.
void add_struct_members(const frontend::StructDef &def, TypeStore &types, int depth,
                        uint32_t offset, ValueType &out) {
  for (const frontend::StructDef::Member &member : def.members) {
    // Text behind the record is none of its bytes: a copy of `args` leaves it out.
    if (!member.type || member.is_data_loc) continue;
    if (member.name.empty() && member.type->kind == TypeKind::kStruct && depth < kMaxDepth) {
      add_struct_members(types.complete(member.type->struct_def), types, depth + 1,
                         offset + member.bit_offset / 8, out);
      continue;
    }
    object::Field field;
    field.name = member.name;
    field.offset = member.bit_offset / 8;
    if (member.bit_size != 0) {
      // The bits counted from the naturally aligned word of the member's type that holds them.
      uint32_t bytes = member.type->size ? member.type->size : 4;
      field.offset = member.bit_offset / 8 / bytes * bytes;
      field.bit_offset = member.bit_offset - field.offset * 8;
      field.bit_size = member.bit_size;
    }
    field.offset += offset;
    field.type.push_back(convert(member.type, types, depth + 1));
    if (is_text(member.type)) {
      field.type[0].kind = ValueKind::kString;
      field.type[0].fields.clear();
    }
    out.fields.push_back(std::move(field));
  }
}

void add_fields(TypeRef type, TypeStore &types, int depth, ValueType &out) {
  switch (type->kind) {
    case TypeKind::kArray:
      out.fields.push_back({"", 0, 0, 0, {convert(type->element, types, depth + 1)}});
      break;
    case TypeKind::kStruct:
      out.name = type->struct_def->name;
      if (depth < kMaxDepth)
        add_struct_members(types.complete(type->struct_def), types, depth, 0, out);
      break;
    case TypeKind::kTuple:
    case TypeKind::kRecord:
      for (const frontend::TypeField &field : type->fields) {
        out.fields.push_back(
            {field.name, field.offset, 0, 0, {convert(field.type, types, depth + 1)}});
      }
      break;
    default:
      break;
  }
}

ValueType convert(TypeRef type, TypeStore &types, int depth) {
  ValueType out;
  if (!type) return out;
  out.kind = value_kind(type->kind);
  out.size = types.size_of(type);
  out.is_signed = type->is_signed;
  out.count = type->count;
  out.format = type->format;
  if (type->kind == TypeKind::kEnum && type->enum_def) {
    out.name = type->enum_def->name;
    for (const auto &value : type->enum_def->values)
      out.enumerators.emplace_back(value.value, value.name);
  }
  if (type->kind == TypeKind::kKernelStack || type->kind == TypeKind::kUserStack) {
    out.stack_mode = frontend::stack_mode_name(type->stack_mode);
    out.stack_limit = type->stack_limit;
    out.is_unwound = type->is_unwound;
  }
  const frontend::AggregationParameters &parameters = type->parameters;
  if (type->kind == TypeKind::kHist) {
    out.bits = parameters.bits;
    out.count = object::hist_bucket_count(parameters.bits);
  } else if (type->kind == TypeKind::kLhist) {
    out.min = parameters.min;
    out.max = parameters.max;
    out.step = parameters.step;
    out.count = object::lhist_bucket_count(parameters.min, parameters.max, parameters.step);
  } else if (type->kind == TypeKind::kTseries) {
    out.interval_ns = parameters.interval_ns;
    out.intervals = parameters.intervals;
    out.function = parameters.function;
    out.size = object::series_size(parameters.intervals);
  }
  if (type->kind == TypeKind::kHist || type->kind == TypeKind::kLhist) out.size = out.count * 8;
  add_fields(type, types, depth, out);
  return out;
}

}  // namespace

ValueType value_type(TypeRef type, TypeStore &types) { return convert(type, types, 0); }

}  // namespace awl::codegen
