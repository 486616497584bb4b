#include "frontend/target/dwarf_types.h"

#include <dwarf.h>

#include <algorithm>
#include <optional>

namespace awl::frontend {
namespace {

constexpr uint32_t kMaxDepth = 64;      // of pointers, arrays, typedefs and qualifiers
constexpr uint32_t kMaxNesting = 16;    // of namespaces
constexpr size_t kMaxMembers = 100000;  // of one struct
constexpr size_t kMaxEnumerators = 1'000'000;

bool is_qualifier(int tag) {
  return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
         tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

bool is_struct(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

bool is_pointer(int tag) {
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
         tag == DW_TAG_rvalue_reference_type;
}

// What a name may be looked up for.
bool is_named_type(int tag) {
  return is_struct(tag) || tag == DW_TAG_enumeration_type || tag == DW_TAG_typedef ||
         tag == DW_TAG_base_type;
}

uint32_t bytes_of(Dwarf_Die &die) {
  Dwarf_Word size = 0;
  constexpr Dwarf_Word kMaxBytes = 16u << 20;  // sizes in bits, and sums of some, fit 32 bits
  if (dwarf_aggregate_size(&die, &size) != 0 || size > kMaxBytes) return 0;
  return static_cast<uint32_t>(size);
}

// Where a function's code begins. One in several pieces, with what seldom runs apart, begins with
// the first of them.
std::optional<uint64_t> first_address(Dwarf_Die &function) {
  Dwarf_Addr base = 0, start = 0, end = 0;
  if (dwarf_entrypc(&function, &start) == 0) return start;
  if (dwarf_ranges(&function, 0, &base, &start, &end) > 0) return start;
  return std::nullopt;
}

}  // namespace

TypeRef DwarfTypes::type_of(Dwarf_Die die) { return convert(die, 0); }

TypeRef DwarfTypes::referred(Dwarf_Die die, uint32_t depth) {
  std::optional<Dwarf_Die> type = dwarf_referred(die, DW_AT_type);
  return type ? convert(*type, depth) : store_.void_type();
}

TypeRef DwarfTypes::convert(Dwarf_Die die, uint32_t depth) {
  die = dwarf_definition(die);
  const auto known = types_.find(die.addr);
  if (known != types_.end()) return known->second;
  const TypeRef made = depth < kMaxDepth ? convert_new(die, depth + 1) : store_.void_type();
  types_.emplace(die.addr, made);
  return made;
}

TypeRef DwarfTypes::convert_new(Dwarf_Die die, uint32_t depth) {
  const int tag = dwarf_tag(&die);
  if (is_pointer(tag)) {
    return store_.pointer(referred(die, depth),
                          origin_ == Origin::kBinary ? AddressSpace::kUser : AddressSpace::kNone);
  }
  if (is_struct(tag)) return struct_type(die);
  if (is_qualifier(tag)) {
    const TypeRef type = referred(die, depth);
    // A struct without a tag is known by its typedef.
    if (tag == DW_TAG_typedef && type->is_struct() && type->struct_def->name.empty() &&
        type->struct_def->typedef_name.empty()) {
      type->struct_def->typedef_name = dwarf_name(die);
    }
    return type;
  }
  switch (tag) {
    case DW_TAG_base_type:
      return base_type(die);
    case DW_TAG_array_type:
      return array_type(die, depth);
    case DW_TAG_enumeration_type:
      return enum_type(die);
    case DW_TAG_ptr_to_member_type:
      return store_.uint64();
    default:
      return store_.void_type();
  }
}

TypeRef DwarfTypes::base_type(Dwarf_Die die) {
  const uint64_t encoding = dwarf_number(die, DW_AT_encoding).value_or(0);
  const uint32_t size = bytes_of(die);
  const bool is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
  if (encoding == DW_ATE_boolean && size == 1) return store_.boolean();
  if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float) {
    return store_.array(store_.integer(1, false), size);
  }
  switch (size) {
    case 1:
      // An array of `char` is a string, unlike one of `unsigned char`.
      return store_.integer(1, is_signed || dwarf_name(die) == "char");
    case 2:
    case 4:
    case 8:
      return store_.integer(size, is_signed);
    case 16:
      return store_.array(store_.uint64(), 2);
    default:
      return store_.void_type();
  }
}

TypeRef DwarfTypes::array_type(Dwarf_Die die, uint32_t depth) {
  TypeRef type = referred(die, depth);
  std::vector<uint32_t> counts;
  dwarf_visit_children(die, [&](Dwarf_Die &child) {
    if (dwarf_tag(&child) != DW_TAG_subrange_type) return true;
    std::optional<uint64_t> count = dwarf_number(child, DW_AT_count);
    if (!count) {
      const std::optional<uint64_t> last = dwarf_number(child, DW_AT_upper_bound);
      count = last ? *last + 1 : 0;  // `[]`: not known
    }
    counts.push_back(static_cast<uint32_t>(std::min<uint64_t>(*count, UINT32_MAX)));
    return counts.size() < kMaxDepth;
  });
  uint64_t bytes = std::max<uint64_t>(store_.size_of(type), 1);
  for (auto count = counts.rbegin(); count != counts.rend(); ++count) {
    bytes *= std::max<uint32_t>(*count, 1);
    if (bytes > INT32_MAX) return store_.void_type();
    type = store_.array(type, *count);
  }
  return type;
}

TypeRef DwarfTypes::struct_type(Dwarf_Die die) {
  const bool is_union = dwarf_tag(&die) == DW_TAG_union_type;
  const std::string name = dwarf_name(die);
  // Its own: what a definition refers to by DW_AT_specification is a declaration.
  const bool is_declaration = dwarf_hasattr(&die, DW_AT_declaration) != 0;
  if (is_declaration && !name.empty()) {
    // Declared only in this unit; another one may define it.
    if (TypeRef found = find_struct(name, is_union)) return found;
    // A header that only declares a struct of the kernel means that one.
    if (origin_ == Origin::kHeaders) {
      if (TypeRef found = store_.find_struct(name, is_union)) return found;
    }
  }
  StructDef *def = store_.new_struct();
  def->name = name;
  if (name.empty() && dwarf_hasattr(&die, DW_AT_signature) != 0) {
    def->name = "(in a unit of types, which is not looked for in packages)";
  }
  def->is_union = is_union;
  def->is_complete = is_declaration;
  def->size = is_declaration ? 0 : bytes_of(die);
  structs_.emplace(def, die);
  return store_.struct_type(def);
}

TypeRef DwarfTypes::enum_type(Dwarf_Die die) {
  EnumDef *def = store_.new_enum();
  def->name = dwarf_name(die);
  const uint32_t size = bytes_of(die);
  def->size = size == 1 || size == 2 || size == 8 ? size : 4;
  dwarf_visit_children(die, [&](Dwarf_Die &child) {
    Dwarf_Attribute attribute;
    if (dwarf_tag(&child) != DW_TAG_enumerator ||
        dwarf_attr(&child, DW_AT_const_value, &attribute) == nullptr) {
      return true;
    }
    Dwarf_Sword value = 0;
    if (dwarf_formsdata(&attribute, &value) != 0) return true;
    def->is_signed = def->is_signed || value < 0;
    def->values.push_back({dwarf_name(child), value});
    return def->values.size() < kMaxMembers;
  });
  return store_.enum_type(def);
}

bool DwarfTypes::complete(StructDef *def) {
  const auto found = structs_.find(def);
  if (found == structs_.end()) return false;
  if (def->is_complete) return true;
  def->is_complete = true;
  dwarf_visit_children(found->second, [&](Dwarf_Die &child) {
    add_member(*def, child);
    return def->members.size() < kMaxMembers;
  });
  return true;
}

void DwarfTypes::add_member(StructDef &def, Dwarf_Die &die) {
  const int tag = dwarf_tag(&die);
  const bool is_base = tag == DW_TAG_inheritance;
  // What is declared in a class but lies outside of it: static members, virtual bases.
  if ((tag != DW_TAG_member && !is_base) || dwarf_has_flag(die, DW_AT_declaration) ||
      dwarf_has_flag(die, DW_AT_external) || dwarf_number(die, DW_AT_virtuality)) {
    return;
  }
  StructDef::Member member;
  // The members of a base class count as the class's own, as those of an anonymous struct do.
  if (!is_base) member.name = dwarf_name(die);
  std::optional<Dwarf_Die> type = dwarf_referred(die, DW_AT_type);
  if (!type) return;
  member.type = type_of(*type);
  member.type_text = dwarf_type_text(*type);
  const std::optional<uint64_t> place = dwarf_number(die, DW_AT_data_member_location);
  // One that has to be computed from the object, as of a virtual base.
  if (!place && dwarf_hasattr(&die, DW_AT_data_member_location) != 0) return;
  if (place && *place > def.size) return;
  uint64_t bits = place.value_or(0) * 8;
  if (const std::optional<uint64_t> size = dwarf_number(die, DW_AT_bit_size)) {
    member.bit_size = static_cast<uint32_t>(std::min<uint64_t>(*size, 64));
    if (const std::optional<uint64_t> offset = dwarf_number(die, DW_AT_data_bit_offset)) {
      bits = *offset;
    } else if (const std::optional<uint64_t> from_top = dwarf_number(die, DW_AT_bit_offset)) {
      // Before DWARF 4: counted from the highest bit of a unit of storage.
      const uint64_t unit =
          dwarf_number(die, DW_AT_byte_size).value_or(store_.size_of(member.type));
      bits += unit * 8 - *from_top - member.bit_size;
    }
  }
  const uint64_t all = uint64_t{def.size} * 8;
  const uint64_t own =
      member.bit_size ? member.bit_size : uint64_t{store_.size_of(member.type)} * 8;
  if (bits > all || own > all - bits) return;
  member.bit_offset = static_cast<uint32_t>(bits);
  def.members.push_back(std::move(member));
}

std::optional<Dwarf_Die> DwarfTypes::function_at(uint64_t address) {
  if (!last_unit_ || dwarf_haspc(&last_unit_->skeleton, address) != 1) {
    last_unit_ = file_->unit_at(address);
    if (!last_unit_) return std::nullopt;
  }
  const auto [functions, is_new] = functions_.try_emplace(last_unit_->die.addr);
  if (is_new) {
    const std::function<void(Dwarf_Die &, uint32_t)> add = [&](Dwarf_Die &parent, uint32_t depth) {
      dwarf_visit_children(parent, [&](Dwarf_Die &child) {
        const int tag = dwarf_tag(&child);
        if (tag == DW_TAG_subprogram) {
          if (const std::optional<uint64_t> entry = first_address(child)) {
            functions->second.emplace(*entry, child);
          }
        } else if (depth < kMaxNesting && (tag == DW_TAG_namespace || is_struct(tag))) {
          add(child, depth + 1);
        }
        return true;
      });
    };
    add(last_unit_->die, 0);
  }
  const auto found = functions->second.find(address);
  if (found == functions->second.end()) return std::nullopt;
  return found->second;
}

void DwarfTypes::index_enumerators(Dwarf_Die &enumeration) {
  dwarf_visit_children(enumeration, [&](Dwarf_Die &child) {
    if (const char *name = dwarf_diename(&child)) enumerators_.emplace(name, enumeration);
    return enumerators_.size() < kMaxEnumerators;
  });
}

void DwarfTypes::index_units_with(const std::string &name) {
  if (is_indexed_ || !asked_.insert(name).second) return;
  const std::function<void(Dwarf_Die &, uint32_t)> add_children = [&](Dwarf_Die &parent,
                                                                      uint32_t depth) {
    dwarf_visit_children(parent, [&](Dwarf_Die &child) {
      const int tag = dwarf_tag(&child);
      if (tag == DW_TAG_namespace && depth < kMaxNesting) add_children(child, depth + 1);
      const char *name = is_named_type(tag) ? dwarf_diename(&child) : nullptr;
      if (name != nullptr && dwarf_hasattr(&child, DW_AT_declaration) == 0) {
        names_.emplace(name, child);
      }
      if (tag == DW_TAG_enumeration_type) index_enumerators(child);
      return true;
    });
  };
  is_indexed_ = file_->visit_units_with(name, [&](const DwarfUnit &unit) {
    Dwarf_Die die = unit.die;
    if (indexed_units_.insert(die.addr).second) add_children(die, 0);
  });
}

std::optional<Dwarf_Die> DwarfTypes::find_entry(const std::string &name,
                                                const std::vector<int> &tags) {
  index_units_with(name);
  // The first in the file, whatever has been asked for before.
  std::optional<Dwarf_Die> first;
  const auto [begin, end] = names_.equal_range(name);
  for (auto entry = begin; entry != end; ++entry) {
    Dwarf_Die die = entry->second;
    if (std::find(tags.begin(), tags.end(), dwarf_tag(&die)) == tags.end()) continue;
    if (!first || dwarf_dieoffset(&die) < dwarf_dieoffset(&*first)) first = die;
  }
  return first;
}

TypeRef DwarfTypes::find(const std::string &name, const std::vector<int> &tags) {
  const std::optional<Dwarf_Die> die = find_entry(name, tags);
  return die ? type_of(*die) : nullptr;
}

TypeRef DwarfTypes::find_struct(const std::string &tag, bool is_union) {
  return find(tag, struct_tags(is_union));
}

TypeRef DwarfTypes::find_enum(const std::string &tag) {
  return find(tag, {DW_TAG_enumeration_type});
}

TypeRef DwarfTypes::find_typedef(const std::string &name) { return find(name, typedef_tags()); }

bool DwarfTypes::find_constant(const std::string &name, TypeStore::Constant *out) {
  index_units_with(name);
  const auto found = enumerators_.find(name);
  if (found == enumerators_.end()) return false;
  const EnumDef *def = type_of(found->second)->enum_def;
  for (const EnumDef::Value &value : def->values) {
    if (value.name != name) continue;
    *out = {value.value, def};
    return true;
  }
  return false;
}

std::string DwarfTypes::file_of(const std::string &name, const std::vector<int> &tags) {
  std::optional<Dwarf_Die> die = find_entry(name, tags);
  const char *file = die ? dwarf_decl_file(&*die) : nullptr;
  return file ? file : "";
}

std::string DwarfTypes::file_of_struct(const std::string &tag, bool is_union) {
  return file_of(tag, struct_tags(is_union));
}
std::string DwarfTypes::file_of_enum(const std::string &tag) {
  return file_of(tag, {DW_TAG_enumeration_type});
}
std::string DwarfTypes::file_of_typedef(const std::string &name) {
  return file_of(name, typedef_tags());
}

std::vector<int> DwarfTypes::struct_tags(bool is_union) {
  if (is_union) return {DW_TAG_union_type};
  return {DW_TAG_structure_type, DW_TAG_class_type};
}

std::vector<int> DwarfTypes::typedef_tags() const {
  if (origin_ == Origin::kHeaders) return {DW_TAG_typedef};
  // In C++ a class needs no keyword before its name.
  return {DW_TAG_typedef, DW_TAG_base_type, DW_TAG_class_type, DW_TAG_structure_type};
}

std::string dwarf_type_text(Dwarf_Die die) {
  std::string before, after;  // what stands around the name, from the outside in
  for (uint32_t depth = 0; depth < kMaxDepth; ++depth) {
    die = dwarf_definition(die);
    const int tag = dwarf_tag(&die);
    const std::string name = dwarf_name(die);
    if (tag == DW_TAG_typedef || tag == DW_TAG_base_type || tag == DW_TAG_unspecified_type) {
      return before + name + after;
    }
    if (is_struct(tag) || tag == DW_TAG_enumeration_type) {
      const char *keyword = tag == DW_TAG_union_type         ? "union "
                            : tag == DW_TAG_enumeration_type ? "enum "
                            : tag == DW_TAG_class_type       ? "class "
                                                             : "struct ";
      return before + keyword + (name.empty() ? "(anonymous)" : name) + after;
    }
    if (is_pointer(tag)) {
      after = (tag == DW_TAG_pointer_type     ? "*"
               : tag == DW_TAG_reference_type ? "&"
                                              : "&&") +
              after;
    } else if (tag == DW_TAG_const_type || tag == DW_TAG_volatile_type) {
      const std::string word = tag == DW_TAG_const_type ? "const" : "volatile";
      // `char *const p`, but `const char *p`.
      std::optional<Dwarf_Die> inner = dwarf_referred(die, DW_AT_type);
      if (inner && is_pointer(dwarf_tag(&*inner))) {
        after = " " + word + after;
      } else {
        before += word + " ";
      }
    } else if (tag == DW_TAG_array_type) {
      after += "[]";
    } else if (tag == DW_TAG_subroutine_type) {
      return before + "void" + after;
    }
    std::optional<Dwarf_Die> next = dwarf_referred(die, DW_AT_type);
    if (!next) return before + "void" + after;
    die = *next;
  }
  return before + "void" + after;
}

}  // namespace awl::frontend
