#include "frontend/target/dwarf_functions.h"

#include <dwarf.h>

#include <algorithm>
#include <vector>

namespace awl::frontend {
namespace {

constexpr uint32_t kMaxNesting = 32;  // of namespaces, classes and functions
constexpr size_t kMaxParameters = 64;
constexpr uint32_t kWord = 8;
constexpr uint32_t kLarge = 16;  // bytes of the largest numbers, and their alignment

#if defined(__aarch64__)
// Registers of arguments by DWARF's numbers (AADWARF64), and where arguments in memory begin.
constexpr int kArgumentRegisters[] = {0, 1, 2, 3, 4, 5, 6, 7};
constexpr uint32_t kFirstOnStack = 0;
#else
// System V ABI for x86_64, figure 3.36: rdi, rsi, rdx, rcx, r8, r9. The return address comes first.
constexpr int kArgumentRegisters[] = {5, 4, 1, 2, 8, 9};
constexpr uint32_t kFirstOnStack = 8;
#endif
constexpr uint32_t kRegisterCount = std::size(kArgumentRegisters);

// How the ABI passes a value.
enum class Passing { kInteger, kFloat, kMemory, kMixed };

// The type behind typedefs and qualifiers.
std::optional<Dwarf_Die> strip(std::optional<Dwarf_Die> die) {
  if (!die) return std::nullopt;
  Dwarf_Die stripped;
  if (dwarf_peel_type(&*die, &stripped) != 0) return std::nullopt;
  return stripped;
}

bool is_class(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

bool is_pointer(int tag) {
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
         tag == DW_TAG_rvalue_reference_type;
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

UserArgumentPlace nowhere(const std::string &problem) {
  UserArgumentPlace place;
  place.problem = problem;
  return place;
}

// Hands out registers and places on the stack, argument by argument.
class Places {
 public:
  // One that the caller cannot see.
  void take_register() { ++next_register_; }

  UserArgumentPlace next(std::optional<Dwarf_Die> type) {
    is_aligned_ = false;
    std::optional<Dwarf_Die> stripped = strip(std::move(type));
    if (!stripped) return nowhere("its type is not known");
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

 private:
  UserArgumentPlace words(uint32_t count, uint64_t size) {
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

  UserArgumentPlace on_stack(uint64_t size) {
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

  UserArgumentPlace in_memory(uint64_t size) {
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

  UserArgumentPlace floating(uint64_t size, bool has_quad) {
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

  // One word in a register of either kind, or all of it on the stack.
  UserArgumentPlace mixed(uint64_t size) {
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

  static constexpr uint32_t kFloatRegisters = 8;
  uint32_t next_register_ = 0, next_float_ = 0;
  uint32_t stack_ = kFirstOnStack;
  bool is_aligned_ = false;     // the argument at hand, to 16 bytes
  bool is_lost_ = false;        // nor is it known where any that follows is
  bool is_stack_lost_ = false;  // the same of those on the stack
};

// The register of an argument that an operation names; nothing: it is none.
std::optional<uint32_t> argument_register(const Dwarf_Op &op) {
  int number = -1;
  if (op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31) number = op.atom - DW_OP_reg0;
  if (op.atom == DW_OP_regx) number = static_cast<int>(op.number);
  for (uint32_t i = 0; i < kRegisterCount; ++i) {
    if (kArgumentRegisters[i] == number) return i;
  }
  return std::nullopt;
}

// An expression for the function's first instruction; empty: there is none.
std::vector<Dwarf_Op> expression_of(Dwarf_Die &die, unsigned name, uint64_t address) {
  Dwarf_Attribute attribute;
  Dwarf_Op *expression = nullptr;
  size_t length = 0;
  if (dwarf_attr_integrate(&die, name, &attribute) == nullptr ||
      dwarf_getlocation_addr(&attribute, address, &expression, &length, 1) != 1) {
    return {};
  }
  return {expression, expression + length};
}

// How far above the stack pointer of the first instruction a function's frame base is, if it is
// where debuggers expect it: the caller's frame, or what is made the frame pointer by the usual
// prologue. Nothing: somewhere else.
std::optional<int64_t> frame_base(Dwarf_Die &function, uint64_t address) {
  const std::vector<Dwarf_Op> expression = expression_of(function, DW_AT_frame_base, address);
  if (expression.size() != 1) return std::nullopt;
  if (expression[0].atom == DW_OP_call_frame_cfa) return kFirstOnStack;
#if !defined(__aarch64__)
  constexpr uint8_t kFramePointer = DW_OP_reg6;
  if (expression[0].atom == kFramePointer) return int64_t{kFirstOnStack} - 2 * kWord;
#endif
  return std::nullopt;
}

// Where the unit itself says that a parameter is at the function's first instruction, if that is
// the caller's frame, or a register of an argument, or two that follow each other for one of two
// words. (A place in the function's own frame is where it will be kept later.)
std::optional<UserArgumentPlace> stated_place(Dwarf_Die &function, Dwarf_Die &parameter,
                                              uint64_t address, uint32_t words) {
  const std::vector<Dwarf_Op> expression = expression_of(parameter, DW_AT_location, address);
  if (expression.empty()) return std::nullopt;
  UserArgumentPlace place;
  if (expression[0].atom == DW_OP_fbreg && expression.size() == 1) {
    constexpr int64_t kFarthest = 1 << 20;
    const std::optional<int64_t> base = frame_base(function, address);
    const auto distance = static_cast<int64_t>(expression[0].number);
    if (!base || distance > kFarthest || distance < -kFarthest || *base + distance < kFirstOnStack)
      return std::nullopt;
    place.kind = UserArgumentPlace::Kind::kStack;
    place.offset = static_cast<uint32_t>(*base + distance);
    return place;
  }
  const std::optional<uint32_t> first = argument_register(expression[0]);
  // reg, or reg piece reg piece
  if (!first || expression.size() != (words == 1 ? 1 : 4)) return std::nullopt;
  if (words == 2 &&
      (expression[1].atom != DW_OP_piece || expression[1].number != kWord ||
       expression[3].atom != DW_OP_piece || argument_register(expression[2]) != *first + 1)) {
    return std::nullopt;
  }
  place.kind = UserArgumentPlace::Kind::kRegister;
  place.number = *first;
  return place;
}

// How many registers a parameter takes that is passed in them.
uint32_t words_of(const std::optional<Dwarf_Die> &type) {
  std::optional<Dwarf_Die> stripped = strip(type);
  Dwarf_Word size = 0;
  const bool is_large = stripped && dwarf_aggregate_size(&*stripped, &size) == 0 && size > kWord;
  return is_large ? 2 : 1;
}

// What the unit tells of a parameter's register.
enum class Stated { kNothing, kAsByAbi, kOtherwise };

// Where the unit tells registers for the first instruction, it does so for all that are passed and
// used: others may have been left out, if the compiler knows all calls of the function. They have
// not if one that follows is where it would be with them.
void leave_out_removed(std::vector<UserArgumentPlace> &places, const std::vector<Stated> &stated,
                       bool is_clone) {
  const auto tells = [](Stated one) { return one != Stated::kNothing; };
  if (std::none_of(stated.begin(), stated.end(), tells)) return;
  bool is_in_order = false;
  for (size_t i = places.size(); i-- > 0;) {
    // Of a clone, an argument may have become several, too.
    if (stated[i] == Stated::kAsByAbi && !is_clone) is_in_order = true;
    if (stated[i] == Stated::kNothing && !is_in_order &&
        places[i].kind == UserArgumentPlace::Kind::kRegister) {
      places[i] = nowhere("the compiler has not told where it is");
    }
  }
}

// Passed in memory, but returned in registers of its own.
bool is_returned_in_x87(Dwarf_Die type) {
  std::optional<Dwarf_Die> stripped = strip(type);
  Dwarf_Word size = 0;
  if (!stripped || dwarf_aggregate_size(&*stripped, &size) != 0) return false;
  const int tag = dwarf_tag(&*stripped);
  if (tag != DW_TAG_base_type && (!is_class(tag) || size > kLarge)) return false;
  const Contents contents = contents_of(*stripped);
  return contents.is_x87 && !contents.is_nontrivial;
}

}  // namespace

std::optional<UserFunction> find_user_function(DwarfTypes &types, uint64_t address) {
  std::optional<Dwarf_Die> entry = types.function_at(address);
  if (!entry) return std::nullopt;
  UserFunction function;
  function.build_id = types.file().build_id();
  Places places;
  std::vector<Stated> all_stated;
  const std::optional<Dwarf_Die> result = dwarf_referred(*entry, DW_AT_type);
  function.signature.return_type = result ? types.type_of(*result) : types.store().void_type();
  function.signature.return_type_text = result ? dwarf_type_text(*result) : "void";
  if (result) {
    function.result = is_returned_in_x87(*result) ? nowhere("it is in a floating point register")
                                                  : Places().next(result);
    // What does not fit into registers is written where a hidden first argument points to.
    const bool is_large = function.result.kind == UserArgumentPlace::Kind::kStack ||
                          function.result.kind == UserArgumentPlace::Kind::kAddress;
#if !defined(__aarch64__)
    if (is_large) places.take_register();
#endif
    // Only words are told apart from the address that large ones come with.
    if (is_large) function.result.kind = UserArgumentPlace::Kind::kAddress;
  }
  dwarf_visit_children(*entry, [&](Dwarf_Die &child) {
    if (dwarf_tag(&child) != DW_TAG_formal_parameter) return true;
    const std::optional<Dwarf_Die> type = dwarf_referred(child, DW_AT_type);
    UserArgumentPlace place = places.next(type);
    const std::optional<UserArgumentPlace> stated =
        stated_place(*entry, child, address, words_of(type));
    constexpr auto kRegister = UserArgumentPlace::Kind::kRegister;
    const bool is_register = stated && stated->kind == kRegister;
    const bool is_as_by_abi = place.kind == kRegister && stated && stated->number == place.number;
    all_stated.push_back(!is_register   ? Stated::kNothing
                         : is_as_by_abi ? Stated::kAsByAbi
                                        : Stated::kOtherwise);
    if (stated && (!is_register || place.kind == kRegister)) place = *stated;
    function.signature.parameters.push_back({dwarf_name(child),
                                             type ? types.type_of(*type) : types.store().uint64(),
                                             type ? dwarf_type_text(*type) : "void"});
    function.places.push_back(std::move(place));
    return function.places.size() < kMaxParameters;
  });
  leave_out_removed(function.places, all_stated,
                    dwarf_hasattr(&*entry, DW_AT_abstract_origin) != 0);
  return function;
}

}  // namespace awl::frontend
