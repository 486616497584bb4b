// Attach points that the kernel's types tell all about: iterators and security hooks.
#include <algorithm>

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/read_parts.h"

namespace awl::frontend {
namespace {

constexpr const char *kIteratorPrefix = "bpf_iter__";  // of the struct that is a program's context
constexpr const char *kHookPrefix = "bpf_lsm_";        // of the function that a program stands in for
constexpr const char *kPinFolder = "/sys/fs/bpf/";

void add_member(TypeStore &types, StructDef &def, const std::string &name, TypeRef type,
                const std::string &type_text) {
  StructDef::Member member;
  member.name = name;
  member.type = type ? type : types.uint64();
  if (member.type->is_pointer()) {
    member.type = types.pointer(member.type->element, AddressSpace::kKernel);
  }
  member.bit_offset = def.size * 8;
  member.type_text = type_text;
  def.size += 8;
  def.members.push_back(std::move(member));
}

// The members of struct bpf_iter__NAME, at eight bytes each; the pointers are the only members of
// unions (__bpf_md_ptr).
TypeRef iterator_arguments(TypeStore &types, const std::string &name) {
  TypeRef context = types.find_struct(kIteratorPrefix + name, false);
  if (!context) return nullptr;
  StructDef *def = types.new_struct();
  def->name = kIteratorPrefix + name;
  def->origin = StructDef::Origin::kProbeArguments;
  for (const StructDef::Member &outer : types.complete(context->struct_def).members) {
    const StructDef::Member *member = &outer;
    if (outer.bit_offset != def->size * 8) return nullptr;
    if (outer.name.empty() && outer.type->is_struct()) {
      const StructDef &inner = types.complete(outer.type->struct_def);
      if (inner.members.empty()) return nullptr;
      member = &inner.members.front();
    }
    add_member(types, *def, member->name, member->type, member->type_text);
  }
  def->is_complete = true;
  return types.struct_type(def);
}

bool read_name(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec,
               const char *what) {
  spec.target = point.parts[0];
  const char *family = family_name(spec.family);
  if (spec.target.empty()) {
    context.diagnostics.emit(point.span, kProbeMissingPart, family, what);
    return false;
  }
  if (has_wildcard(spec.target)) {
    context.diagnostics.emit(part_span(point, 0), kProbeWildcardNotAllowed, family);
    return false;
  }
  if (context.target.has_btf()) return true;
  context.diagnostics.emit(point.span, kProbeArgumentsUnknown, spec.name,
                           "the kernel has no type information (BTF)");
  return false;
}

}  // namespace

bool read_iter(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (!read_name(context, point, spec, "an object")) return false;
  if (point.parts.size() == 2) {
    const std::string &pin = point.parts[1];
    if (pin.empty()) {
      context.diagnostics.emit(point.span, kProbeMissingPart, "iter", "a file to pin to");
      return false;
    }
    spec.binary = pin.starts_with('/') ? pin : kPinFolder + pin;
  }
  spec.args_type = iterator_arguments(context.types, spec.target);
  if (spec.args_type) return true;
  std::vector<std::string> known = context.target.btf_names(kIteratorPrefix, false);
  return report_missing(context, part_span(point, 0), "iterator " + spec.target,
                        suggestion(nearest_name(spec.target, known)));
}

bool read_lsm(ProbeContext &context, const ast::AttachPoint &point, ProbeSpec &spec) {
  if (!read_name(context, point, spec, "a hook")) return false;
  std::optional<FunctionSignature> hook =
      context.target.kernel_function(context.types, "", kHookPrefix + spec.target);
  if (!hook) {
    std::vector<std::string> known = context.target.btf_names(kHookPrefix, true);
    return report_missing(context, part_span(point, 0), "security hook " + spec.target,
                          suggestion(nearest_name(spec.target, known)));
  }
  StructDef *def = context.types.new_struct();
  def->name = "lsm:" + spec.target + "_args";
  def->origin = StructDef::Origin::kProbeArguments;
  for (const FunctionParameter &parameter : hook->parameters) {
    add_member(context.types, *def, parameter.name, parameter.type, parameter.type_text);
  }
  def->is_complete = true;
  spec.args_type = context.types.struct_type(def);
  return true;
}

}  // namespace awl::frontend
