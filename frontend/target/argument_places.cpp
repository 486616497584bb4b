#include "frontend/target/argument_places.h"

#include <dwarf.h>

#include <algorithm>

#include "base/dwarf/dwarf_file.h"

namespace awl::frontend {
namespace {

constexpr uint32_t kMaxNesting = 32;  // of namespaces, classes and functions
constexpr uint32_t kLarge = 16;       // bytes of the largest numbers, and their alignment
constexpr uint32_t kFloatRegisters = 8;

// How the ABI passes a value.
enum class Passing { kInteger, kFloat, kMemory, kMixed };

bool is_class(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

bool is_pointer(int tag) {
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
         tag == DW_TAG_rvalue_reference_type;
}

// A class whose members, and so whose size, are told elsewhere.
bool is_only_declared(Dwarf_Die die) {
  return is_class(dwarf_tag(&die)) &&
         (dwarf_hasattr(&die, DW_AT_declaration) != 0 || dwarf_hasattr(&die, DW_AT_signature) != 0);
}

struct Contents {
  bool is_nontrivial = false;
  bool has_float[2] = {}, has_integer[2] = {};  // by word
  bool is_x87 = false;                          // holds a long double of x86-64
  bool has_quad = false;    // holds one of 16 bytes that fills one floating point register
  bool is_aligned = false;  // to 16 bytes
  bool is_packed = false;   // a number in it lies across its natural alignment
  bool is_unknown = false;  // too deep, or of too many parts to look at
  uint32_t visits = 0;      // small structs have few parts; what a file claims is bounded

  void add(bool is_float, uint64_t offset, uint64_t size) {
    for (uint64_t word = 0; word < 2; ++word) {
      const bool is_in = offset < (word + 1) * kWord && word * kWord < offset + size;
      if (is_in) (is_float ? has_float : has_integer)[word] = true;
    }
  }
};

void look_at_number(Dwarf_Die die, uint64_t offset, Contents &contents) {
  constexpr uint64_t kComplexInteger = DW_ATE_lo_user;  // of GNU
  const uint64_t encoding = dwarf_number(die, DW_AT_encoding).value_or(0);
  const bool is_complex = encoding == DW_ATE_complex_float || encoding == kComplexInteger;
  const bool is_float = encoding == DW_ATE_float || encoding == DW_ATE_complex_float;
  const uint64_t size = dwarf_number(die, DW_AT_byte_size).value_or(0);
  const uint64_t alignment = is_complex ? size / 2 : size;
  contents.add(is_float, offset, size);
  if (alignment != 0 && alignment <= kLarge && offset % alignment != 0) contents.is_packed = true;
  if (alignment != kLarge) return;
  contents.is_aligned = true;
#if defined(__aarch64__)
  contents.has_quad = contents.has_quad || is_float;
#else
  // What is no number of IEEE's 128 bits is one of x87, whatever its name (long double, _Float64x).
  bool is_quad = false;
  for (const char *name : {"_Float128", "__float128", "(kind=16)"}) {
    is_quad = is_quad || dwarf_name(die).find(name) != std::string::npos;
  }
  contents.is_x87 = contents.is_x87 || (is_float && !is_quad);
  contents.has_quad = contents.has_quad || (is_float && is_quad);
#endif
}

// What a struct of at most two words is made of. `offset` is where in it the entry lies.
void look_inside(Dwarf_Die die, uint64_t offset, uint32_t depth, Contents &contents) {
  const int tag = dwarf_tag(&die);
  constexpr uint32_t kMaxVisits = 4096;
  if (depth > kMaxNesting || ++contents.visits > kMaxVisits) {
    contents.is_unknown = true;
  } else if (tag == DW_TAG_base_type) {
    look_at_number(die, offset, contents);
  } else if (tag == DW_TAG_array_type) {
    auto element = strip(dwarf_referred(die, DW_AT_type));
    Dwarf_Word all = 0, one = 0;
    if (!element || dwarf_aggregate_size(&die, &all) != 0 ||
        dwarf_aggregate_size(&*element, &one) != 0 || one == 0) {
      return;
    }
    // What lies behind two words is passed in memory, whatever it is, unless it is all alike.
    const uint64_t end = std::min<uint64_t>(all, 2 * kWord);
    for (uint64_t at = 0; at < end; at += one) {
      look_inside(*element, offset + at, depth + 1, contents);
    }
  } else if (is_class(tag)) {
    // A class with a destructor or copying of its own is passed by reference.
    const uint64_t convention = dwarf_number(die, DW_AT_calling_convention).value_or(0);
    if (convention == DW_CC_pass_by_reference) contents.is_nontrivial = true;
    if (dwarf_number(die, DW_AT_alignment).value_or(0) >= kLarge) contents.is_aligned = true;
    dwarf_visit_children(die, [&](Dwarf_Die &child) {
      const int kind = dwarf_tag(&child);
      if ((kind != DW_TAG_member && kind != DW_TAG_inheritance) ||
          dwarf_has_flag(child, DW_AT_external)) {
        return true;
      }
      if (dwarf_number(child, DW_AT_alignment).value_or(0) >= kLarge) contents.is_aligned = true;
      const auto type = strip(dwarf_referred(child, DW_AT_type));
      // Bits lie in what others share, and have no alignment.
      const bool is_bits = dwarf_number(child, DW_AT_bit_size).has_value();
      const uint64_t place = dwarf_number(child, DW_AT_data_member_location).value_or(0);
      if (is_bits) {
        const uint64_t bit = dwarf_number(child, DW_AT_data_bit_offset).value_or(place * 8);
        contents.add(/*is_float=*/false, offset + bit / 8, 1);
      } else if (type) {
        look_inside(*type, offset + place, depth + 1, contents);
      }
      return true;
    });
  } else {
    // Pointers, those to members, and enumerations.
    Dwarf_Word size = 0;
    if (dwarf_aggregate_size(&die, &size) != 0 || size == 0) size = kWord;
    contents.add(/*is_float=*/false, offset, size);
    if (offset % std::min<uint64_t>(size, kWord) != 0) contents.is_packed = true;
  }
}

Contents contents_of(Dwarf_Die die) {
  Contents contents;
  look_inside(die, 0, 0, contents);
  return contents;
}

Passing passing_of(const Contents &contents, uint64_t size) {
  if (contents.is_nontrivial) return Passing::kInteger;  // its address
  if (size > 2 * kWord || size == 0 || contents.is_x87) return Passing::kMemory;
#if !defined(__aarch64__)
  if (contents.is_packed) return Passing::kMemory;
#endif
  bool has_float_word = false, has_integer_word = false;
  for (int word = 0; word < 2; ++word) {
    // A word with both is an integer.
    has_integer_word = has_integer_word || contents.has_integer[word];
#if defined(__aarch64__)
    has_float_word = has_float_word || contents.has_float[word];
#else
    has_float_word = has_float_word || (contents.has_float[word] && !contents.has_integer[word]);
#endif
  }
  if (!has_float_word) return Passing::kInteger;
  return has_integer_word ? Passing::kMixed : Passing::kFloat;
}

}  // namespace

std::optional<Dwarf_Die> strip(std::optional<Dwarf_Die> die) {
  if (!die) return std::nullopt;
  Dwarf_Die stripped;
  if (dwarf_peel_type(&*die, &stripped) != 0) return std::nullopt;
  return dwarf_definition(stripped);
}

UserArgumentPlace nowhere(const std::string &problem) {
  UserArgumentPlace place;
  place.problem = problem;
  return place;
}

UserArgumentPlace ArgumentPlaces::next(std::optional<Dwarf_Die> type) {
  is_aligned_ = false;
  std::optional<Dwarf_Die> stripped = strip(std::move(type));
  const bool is_found = stripped && !is_only_declared(*stripped);
  if (!is_found) {
    is_lost_ = true;  // by its size
    const bool is_in_own_unit = !stripped || dwarf_hasattr(&*stripped, DW_AT_signature) != 0;
    return nowhere(is_in_own_unit ? "its type is in a unit of its own (-fdebug-types-section), "
                                    "which is not looked for in packages"
                                  : "its type is only declared here, not described");
  }
  Dwarf_Word size = 0;
  if (dwarf_aggregate_size(&*stripped, &size) != 0) size = kWord;
  const int tag = dwarf_tag(&*stripped);
  if (is_pointer(tag) && !is_lost_) return words(1, size);
  const Contents contents = contents_of(*stripped);
  is_lost_ = is_lost_ || contents.is_unknown;
  if (is_lost_) return nowhere("its place is not known");
#if defined(__aarch64__)
  // Members of one kind of float take a register each, or all of them lie on the stack.
  const bool is_of_floats = contents.has_float[0] && !contents.has_integer[0];
  if (is_class(tag) && is_of_floats && !contents.is_nontrivial && size <= 4 * kLarge) {
    is_stack_lost_ = true;
    return nowhere("its place is not known");
  }
#endif
  is_aligned_ = contents.is_aligned && !contents.is_nontrivial;
  switch (passing_of(contents, size)) {
    case Passing::kFloat:
      return floating(size, contents.has_quad);
    case Passing::kMixed:
      return mixed(size);
    case Passing::kMemory:
      return in_memory(size);
    case Passing::kInteger:
      break;
  }
  if (is_class(tag) && contents.is_nontrivial) {
    UserArgumentPlace place = words(1, kWord);
    if (place.kind == UserArgumentPlace::Kind::kRegister) {
      place.kind = UserArgumentPlace::Kind::kAddress;
      return place;
    }
    return nowhere("its address is on the stack");
  }
  return words(size > kWord ? 2 : 1, size);
}

UserArgumentPlace ArgumentPlaces::words(uint32_t count, uint64_t size) {
  UserArgumentPlace place;
#if defined(__aarch64__)
  if (is_aligned_ && count == 2) next_register_ += next_register_ % 2;
#endif
  if (next_register_ + count > kRegisterCount) {
#if defined(__aarch64__)
    next_register_ = kRegisterCount;  // once on the stack, all that follow are
#endif
    return on_stack(size);
  }
  place.kind = UserArgumentPlace::Kind::kRegister;
  place.number = next_register_;
  next_register_ += count;
  return place;
}

UserArgumentPlace ArgumentPlaces::on_stack(uint64_t size) {
  if (is_stack_lost_) return nowhere("its place is not known");
  UserArgumentPlace place;
  place.kind = UserArgumentPlace::Kind::kStack;
  if (is_aligned_) {
    stack_ = (stack_ - kFirstOnStack + kLarge - 1) / kLarge * kLarge + kFirstOnStack;
  }
  place.offset = stack_;
  stack_ += static_cast<uint32_t>((size + kWord - 1) / kWord * kWord);
  return place;
}

UserArgumentPlace ArgumentPlaces::in_memory(uint64_t size) {
#if defined(__aarch64__)
  (void)size;
  UserArgumentPlace place = words(1, kWord);
  if (place.kind == UserArgumentPlace::Kind::kRegister) {
    place.kind = UserArgumentPlace::Kind::kAddress;
    return place;
  }
  return nowhere("its address is on the stack");
#else
  return on_stack(size);
#endif
}

UserArgumentPlace ArgumentPlaces::floating(uint64_t size, bool has_quad) {
  if (size > kWord * 2) return in_memory(size);
  const uint32_t count = size > kWord && !has_quad ? 2 : 1;
  if (next_float_ + count > kFloatRegisters) {
#if defined(__aarch64__)
    next_float_ = kFloatRegisters;  // once on the stack, all that follow are
#endif
    return on_stack(size);
  }
  next_float_ += count;
  return nowhere("it is in a floating point register");
}

UserArgumentPlace ArgumentPlaces::mixed(uint64_t size) {
#if defined(__aarch64__)
  return words(size > kWord ? 2 : 1,
               size);  // only structs of nothing else go to floating point registers
#else
  if (next_register_ == kRegisterCount || next_float_ == kFloatRegisters) return on_stack(size);
  ++next_register_;
  ++next_float_;
  return nowhere("a part of it is in a floating point register");
#endif
}

bool is_returned_in_x87(Dwarf_Die type) {
  std::optional<Dwarf_Die> stripped = strip(type);
  Dwarf_Word size = 0;
  if (!stripped || dwarf_aggregate_size(&*stripped, &size) != 0) return false;
  const int tag = dwarf_tag(&*stripped);
  if (tag != DW_TAG_base_type && (!is_class(tag) || size > kLarge)) return false;
  const Contents contents = contents_of(*stripped);
  return contents.is_x87 && !contents.is_nontrivial;
}

}  // namespace awl::frontend
