#include "frontend/target/dwarf_functions.h"

#include <dwarf.h>

#include <algorithm>
#include <vector>

namespace awl::frontend {
namespace {

constexpr uint32_t kMaxNesting = 32;  // of namespaces, classes and functions
constexpr size_t kMaxParameters = 64;
constexpr uint32_t kWord = 8;

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

struct Contents {
  bool has_float = false, has_integer = false, is_nontrivial = false;
  uint32_t visits = 0;  // small structs have few parts; what a file claims is bounded
};

// What a struct of at most two words is made of.
void look_inside(Dwarf_Die die, uint32_t depth, Contents &contents) {
  const int tag = dwarf_tag(&die);
  constexpr uint32_t kMaxVisits = 4096;
  if (depth > kMaxNesting || ++contents.visits > kMaxVisits) {
    contents.is_nontrivial = true;
  } else if (tag == DW_TAG_base_type) {
    const uint64_t encoding = dwarf_number(die, DW_AT_encoding).value_or(0);
    const bool is_float = encoding == DW_ATE_float || encoding == DW_ATE_complex_float;
    (is_float ? contents.has_float : contents.has_integer) = true;
  } else if (tag == DW_TAG_array_type) {
    const auto element = strip(dwarf_referred(die, DW_AT_type));
    if (element) look_inside(*element, depth + 1, contents);
  } else if (is_class(tag)) {
    // A class with a destructor or copying of its own is passed by reference.
    const uint64_t convention = dwarf_number(die, DW_AT_calling_convention).value_or(0);
    if (convention == DW_CC_pass_by_reference) contents.is_nontrivial = true;
    dwarf_visit_children(die, [&](Dwarf_Die &child) {
      const int kind = dwarf_tag(&child);
      if ((kind != DW_TAG_member && kind != DW_TAG_inheritance) ||
          dwarf_has_flag(child, DW_AT_external)) {
        return true;
      }
      const auto type = strip(dwarf_referred(child, DW_AT_type));
      if (type) look_inside(*type, depth + 1, contents);
      return true;
    });
  } else {
    contents.has_integer = true;
  }
}

Passing passing_of(Dwarf_Die die, uint64_t size) {
  Contents contents;
  look_inside(die, 0, contents);
  if (contents.is_nontrivial) return Passing::kInteger;  // its address
  if (size > 2 * kWord || size == 0) return Passing::kMemory;
  if (!contents.has_float) return Passing::kInteger;
  return contents.has_integer ? Passing::kMixed : Passing::kFloat;
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
    std::optional<Dwarf_Die> stripped = strip(std::move(type));
    if (!stripped) return nowhere("its type is not known");
    Dwarf_Word size = 0;
    if (dwarf_aggregate_size(&*stripped, &size) != 0) size = kWord;
    const int tag = dwarf_tag(&*stripped);
    if (tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
        tag == DW_TAG_rvalue_reference_type) {
      return words(1, size);
    }
    switch (passing_of(*stripped, size)) {
      case Passing::kFloat:
        return floating(size);
      case Passing::kMixed:
        ++next_register_;
        return nowhere("a part of it is in a floating point register");
      case Passing::kMemory:
        return in_memory(size);
      case Passing::kInteger:
        break;
    }
    if (is_class(tag) && is_by_reference(*stripped)) {
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
  static bool is_by_reference(Dwarf_Die type) {
    Contents contents;
    look_inside(type, 0, contents);
    return contents.is_nontrivial;
  }

  UserArgumentPlace words(uint32_t count, uint64_t size) {
    UserArgumentPlace place;
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
    UserArgumentPlace place;
    place.kind = UserArgumentPlace::Kind::kStack;
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

  UserArgumentPlace floating(uint64_t size) {
    constexpr uint32_t kFloatRegisters = 8;
    if (size > kWord * 2) return in_memory(size);
    if (next_float_ >= kFloatRegisters) return on_stack(size);
    ++next_float_;
    return nowhere("it is in a floating point register");
  }

  uint32_t next_register_ = 0, next_float_ = 0;
  uint32_t stack_ = kFirstOnStack;
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

// Where the unit itself says that a parameter is at the function's first instruction, if that is a
// register of an argument, or two that follow each other for one of two words.
std::optional<UserArgumentPlace> stated_place(Dwarf_Die &parameter, uint64_t address,
                                              uint32_t words) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(&parameter, DW_AT_location, &attribute) == nullptr) return std::nullopt;
  Dwarf_Op *expression = nullptr;
  size_t length = 0;
  if (dwarf_getlocation_addr(&attribute, address, &expression, &length, 1) != 1 || length == 0) {
    return std::nullopt;
  }
  const std::optional<uint32_t> first = argument_register(expression[0]);
  // reg, or reg piece reg piece
  if (!first || length != (words == 1 ? 1 : 4)) return std::nullopt;
  if (words == 2 &&
      (expression[1].atom != DW_OP_piece || expression[1].number != kWord ||
       expression[3].atom != DW_OP_piece || argument_register(expression[2]) != *first + 1)) {
    return std::nullopt;
  }
  UserArgumentPlace place;
  place.kind = UserArgumentPlace::Kind::kRegister;
  place.number = *first;
  return place;
}

// How many registers a parameter takes that is passed in them.
uint32_t words_of(const std::optional<Dwarf_Die> &type) {
  std::optional<Dwarf_Die> stripped = strip(type);
  Dwarf_Word size = 0;
  const bool is_large = stripped && is_class(dwarf_tag(&*stripped)) &&
                        dwarf_aggregate_size(&*stripped, &size) == 0 && size > kWord;
  return is_large ? 2 : 1;
}

// Where the unit tells places for the first instruction, it does so for all that are passed: the
// compiler may have left out others, of a function that it knows all calls of.
void leave_out_removed(std::vector<UserArgumentPlace> &places, const std::vector<bool> &is_stated) {
  if (std::find(is_stated.begin(), is_stated.end(), true) == is_stated.end()) return;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!is_stated[i] && places[i].kind == UserArgumentPlace::Kind::kRegister) {
      places[i] = nowhere("the compiler has not told where it is");
    }
  }
}

}  // namespace

std::optional<UserFunction> find_user_function(DwarfTypes &types, uint64_t address) {
  std::optional<Dwarf_Die> entry = types.function_at(address);
  if (!entry) return std::nullopt;
  UserFunction function;
  function.build_id = types.file().build_id();
  Places places;
  std::vector<bool> is_stated;
  const std::optional<Dwarf_Die> result = dwarf_referred(*entry, DW_AT_type);
  function.signature.return_type = result ? types.type_of(*result) : types.store().void_type();
  function.signature.return_type_text = result ? dwarf_type_text(*result) : "void";
  if (result) {
    function.result = Places().next(result);
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
    const std::optional<UserArgumentPlace> stated = stated_place(child, address, words_of(type));
    if (stated && place.kind == UserArgumentPlace::Kind::kRegister) place = *stated;
    is_stated.push_back(stated.has_value());
    function.signature.parameters.push_back({dwarf_name(child),
                                             type ? types.type_of(*type) : types.store().uint64(),
                                             type ? dwarf_type_text(*type) : "void"});
    function.places.push_back(std::move(place));
    return function.places.size() < kMaxParameters;
  });
  leave_out_removed(function.places, is_stated);
  return function;
}

}  // namespace awl::frontend
