#include "frontend/probes/tracepoint_arguments.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace awl::frontend {
namespace {

// A field's C type taken apart: "const char *const *" is base "char" with two stars.
struct FieldText {
  std::string base;
  int stars = 0;
  bool is_array = false;
};

FieldText take_apart(std::string_view text) {
  FieldText result;
  std::string word;
  auto end_word = [&] {
    bool is_noise = word.empty() || word == "const" || word == "volatile" || word == "__user" ||
                    word == "__kernel" || word == "__data_loc" || word == "__rel_loc";
    if (!is_noise && result.stars == 0) result.base += (result.base.empty() ? "" : " ") + word;
    word.clear();
  };
  for (char c : text) {
    if (c == '[') {
      result.is_array = true;
      break;
    }
    if (c == ' ' || c == '\t' || c == '*') {
      end_word();
      if (c == '*') ++result.stars;
    } else {
      word += c;
    }
  }
  end_word();
  return result;
}

TypeRef find_base(TypeStore &types, const std::string &base) {
  if (base.starts_with("struct ")) return types.find_struct(base.substr(7), false);
  if (base.starts_with("union ")) return types.find_struct(base.substr(6), true);
  if (base.starts_with("enum ")) return types.find_enum(base.substr(5));
  return types.find_named(base);
}

bool is_integer_size(uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

// Of a field that is no pointer and no array: the type it is written with when that has the
// field's size. The arguments of system calls are widened to registers: an int in eight bytes.
TypeRef scalar_type(TypeStore &types, TypeRef base, const TracepointField &field) {
  if (base && types.size_of(base) == field.size) return base;
  if (is_integer_size(field.size)) return types.integer(field.size, field.is_signed);
  return types.array(types.integer(1, false), field.size);
}

TypeRef data_loc_type(TypeStore &types, const FieldText &text, TypeRef base, AddressSpace space,
                      uint32_t string_bytes) {
  if (text.base == "char") return types.string(string_bytes);
  return types.pointer(base && text.stars == 0 ? base : types.integer(1, false), space);
}

}  // namespace

TypeRef tracepoint_field_type(TypeStore &types, const TracepointField &field, AddressSpace space,
                              uint32_t string_bytes) {
  FieldText text = take_apart(field.type_text);
  TypeRef base = find_base(types, text.base);
  if (field.is_data_loc) return data_loc_type(types, text, base, space, string_bytes);
  if (text.stars > 0) {
    if (field.size != 8 && !text.is_array) return scalar_type(types, nullptr, field);
    if (!base) base = types.void_type();
    for (int i = 0; i < text.stars; ++i) base = types.pointer(base, space);
  }
  if (!text.is_array) return text.stars > 0 ? base : scalar_type(types, base, field);
  uint32_t element_size = base ? types.size_of(base) : 0;
  if (element_size == 0 || field.size % element_size != 0) {
    base = types.integer(1, false);
    element_size = 1;
  }
  // A char array is text, whatever the sign of the kernel's chars.
  if (text.base == "char" && text.stars == 0) base = types.integer(1, true);
  return types.array(base, field.size / element_size);
}

TypeRef tracepoint_arguments(TypeStore &types, const std::string &category,
                             const std::string &event, const TracepointFormat &format,
                             uint32_t string_bytes, const std::set<std::string> &used) {
  AddressSpace space = category == "syscalls" ? AddressSpace::kUser : AddressSpace::kKernel;
  StructDef *def = types.new_struct();
  def->name = "tracepoint:" + category + ":" + event + "_args";
  def->origin = StructDef::Origin::kTracepoint;
  for (const TracepointField &field : format.fields) {
    StructDef::Member member;
    member.name = field.name;
    bool is_used = used.empty() || used.contains(field.name);
    member.type = is_used ? tracepoint_field_type(types, field, space, string_bytes)
                          : scalar_type(types, nullptr, field);
    member.bit_offset = field.offset * 8;
    member.is_data_loc = field.is_data_loc;
    member.type_text = field.type_text;
    def->size = std::max(def->size, field.offset + field.size);
    def->members.push_back(std::move(member));
  }
  def->is_complete = true;
  return types.struct_type(def);
}

TypeRef syscall_arguments(TypeStore &types, const std::string &name,
                          const std::vector<SyscallParameter> &parameters,
                          StructDef::Origin origin, const std::set<std::string> &used) {
  constexpr uint32_t kBytes = 8;
  StructDef *def = types.new_struct();
  def->name = "syscall:" + name + "_args";
  def->origin = origin;
  for (const SyscallParameter &parameter : parameters) {
    StructDef::Member member;
    member.name = parameter.name;
    member.type_text = parameter.type_text;
    member.bit_offset = def->size * 8;
    member.type = types.uint64();
    if (used.empty() || used.contains(parameter.name)) {
      FieldText text = take_apart(parameter.type_text);
      TypeRef base = find_base(types, text.base);
      if (text.stars == 0 && base && base->is_integral()) member.type = base;
      if (text.stars > 0) member.type = base ? base : types.void_type();
      for (int i = 0; i < text.stars; ++i) {
        member.type = types.pointer(member.type, AddressSpace::kUser);
      }
    }
    def->members.push_back(std::move(member));
    def->size += kBytes;
  }
  def->is_complete = true;
  return types.struct_type(def);
}

}  // namespace awl::frontend
