#include "frontend/probes/function_arguments.h"

#include <algorithm>
#include <utility>

namespace awl::frontend {

TypeRef function_arguments(TypeStore &types, const std::string &name,
                           const FunctionSignature &function) {
  constexpr uint32_t kSlotSize = 8;
  StructDef *def = types.new_struct();
  def->name = name + "_args";
  def->origin = StructDef::Origin::kProbeArguments;
  for (const FunctionParameter &parameter : function.parameters) {
    StructDef::Member member;
    member.name = parameter.name;
    member.type = parameter.type ? parameter.type : types.uint64();
    member.bit_offset = def->size * 8;
    member.type_text = parameter.type_text;
    const uint32_t slots = std::max(1u, (types.size_of(member.type) + kSlotSize - 1) / kSlotSize);
    def->size += slots * kSlotSize;
    if (slots == 1) def->members.push_back(std::move(member));
  }
  def->is_complete = true;
  return types.struct_type(def);
}

}  // namespace awl::frontend
