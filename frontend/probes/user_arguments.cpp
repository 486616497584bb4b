#include "frontend/probes/user_arguments.h"

#include <algorithm>

namespace awl::frontend {
namespace {

// The symbols that an attach point means here.
Result<std::vector<std::string>> symbols_of(Target &target, const ProbeSpec &spec) {
  if (has_wildcard(spec.binary)) return Error{"the binary is a pattern"};
  if (spec.has_address || !spec.source_file.empty() || spec.offset != 0) {
    return Error{"arguments have their places only where a function begins"};
  }
  Result<std::string> path = target.resolve_binary(spec.binary);
  if (!path) return path.error();
  if (!has_wildcard(spec.target) && !spec.is_demangled) {
    return std::vector<std::string>{spec.target};
  }
  Result<std::vector<std::string>> symbols = spec.is_demangled
                                                 ? target.demangled_functions(*path, spec.target)
                                                 : target.binary_functions(*path, spec.target);
  if (symbols && symbols->empty()) return Error{"there is no such function"};
  return symbols;
}

TypeRef make_arguments(TypeStore &types, const ProbeSpec &spec, const std::string &symbol,
                       const UserFunction &function) {
  StructDef *def = types.new_struct();
  def->name = std::string(family_name(spec.family)) + ":" + spec.binary + ":" + symbol + "_args";
  def->origin = StructDef::Origin::kProbeArguments;
  uint32_t size = 0;
  for (const FunctionParameter &parameter : function.signature.parameters) {
    StructDef::Member member;
    member.name = parameter.name;
    member.type = parameter.type;
    member.type_text = parameter.type_text;
    member.bit_offset = size * 8;
    size += (std::max<uint32_t>(types.size_of(parameter.type), 1) + 7) / 8 * 8;
    def->members.push_back(std::move(member));
  }
  def->size = size;
  def->is_complete = true;
  return types.struct_type(def);
}

}  // namespace

Result<std::vector<UserFunctionArguments>> user_function_arguments(TypeStore &types, Target &target,
                                                                   const ProbeSpec &spec) {
  Result<std::vector<std::string>> symbols = symbols_of(target, spec);
  if (!symbols) return symbols.error();
  const std::string path = *target.resolve_binary(spec.binary);
  std::vector<UserFunctionArguments> functions;
  for (const std::string &symbol : *symbols) {
    Result<UserFunction> function = target.user_function(types, path, symbol, DebugFiles::kFetched);
    if (!function) return function.error();
    functions.push_back({symbol, make_arguments(types, spec, symbol, *function), function->places,
                         function->build_id});
  }
  return functions;
}

void set_return_type(Target &target, TypeStore &types, ProbeSpec &spec) {
  Result<std::vector<std::string>> symbols = symbols_of(target, spec);
  if (!symbols) return;
  const std::string path = *target.resolve_binary(spec.binary);
  TypeRef common = nullptr;
  std::string build_id;
  for (const std::string &symbol : *symbols) {
    Result<UserFunction> function = target.user_function(types, path, symbol, DebugFiles::kFetched);
    if (!function) return;
    if (!function->result.problem.empty() && symbols->size() == 1) {
      spec.retval_problem = function->result.problem;
    }
    TypeRef type = function->signature.return_type;
    const bool is_word = function->result.kind == UserArgumentPlace::Kind::kRegister && type &&
                         (type->is_integral() || type->is_pointer());
    if (!is_word || (common && common != type)) return;
    common = type;
    build_id = function->build_id;
  }
  if (!common) return;
  spec.retval_type = common;
  spec.build_id = build_id;
}

}  // namespace awl::frontend
