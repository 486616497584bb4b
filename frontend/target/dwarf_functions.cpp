#include "frontend/target/dwarf_functions.h"

#include <dwarf.h>

#include <algorithm>
#include <vector>

#include "frontend/target/argument_places.h"

namespace awl::frontend {
namespace {

constexpr size_t kMaxParameters = 64;

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

}  // namespace

std::optional<UserFunction> find_user_function(DwarfTypes &types, uint64_t address) {
  std::optional<Dwarf_Die> entry = types.function_at(address);
  if (!entry) return std::nullopt;
  UserFunction function;
  function.build_id = types.file().build_id();
  ArgumentPlaces places;
  std::vector<Stated> all_stated;
  const std::optional<Dwarf_Die> result = dwarf_referred(*entry, DW_AT_type);
  function.signature.return_type = result ? types.type_of(*result) : types.store().void_type();
  function.signature.return_type_text = result ? dwarf_type_text(*result) : "void";
  if (result) {
    function.result = is_returned_in_x87(*result) ? nowhere("it is in a floating point register")
                                                  : ArgumentPlaces().next(result);
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
