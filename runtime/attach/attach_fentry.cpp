// fentry and fexit: a program called by the kernel function itself, through a trampoline.
//
// A program is tied to its function when it is loaded, so there is one loaded program for each
// target (see Instance::is_copy). Functions of programs that run already, `fentry:bpf:…`, are
// targets too.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>

#include <memory>
#include <set>

#include "base/pattern.h"
#include "runtime/attach/families.h"
#include "runtime/attach/function_types.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/tracing_errors.h"
#include "runtime/tracer.h"

namespace awl::runtime {
namespace {

constexpr size_t kMaxFunctions = 4096;  // of one BPF program

struct BtfCloser {
  void operator()(btf *types) const { btf__free(types); }
};
using BtfHandle = std::unique_ptr<btf, BtfCloser>;

// Adds the functions of one running program that match.
void expand_program(const object::AttachPoint &point, uint32_t id, Expansion &expansion) {
  FileDescriptor program(bpf_prog_get_fd_by_id(id));
  if (!program) return;
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return;
  const uint32_t btf_id = info.btf_id, record_size = info.func_info_rec_size;
  const uint32_t count = info.nr_func_info;
  if (btf_id == 0 || count == 0 || count > kMaxFunctions || record_size < sizeof(bpf_func_info)) {
    return;
  }
  std::vector<uint8_t> records(size_t{count} * record_size);
  info = {};
  info.nr_func_info = count;
  info.func_info_rec_size = record_size;
  info.func_info = reinterpret_cast<uintptr_t>(records.data());
  size = sizeof info;
  if (bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return;
  const BtfHandle types(btf__load_from_kernel_by_id(btf_id));
  if (types == nullptr) return;
  for (uint32_t i = 0; i < count; ++i) {
    bpf_func_info record;
    memcpy(&record, &records[size_t{i} * record_size], sizeof record);
    const btf_type *type = btf__type_by_id(types.get(), record.type_id);
    if (type == nullptr) continue;
    const char *name = btf__name_by_offset(types.get(), type->name_off);
    if (name == nullptr || !matches_pattern(point.target, name)) continue;
    Target target = plain_target(point);
    target.name = point.family + ":bpf:" + std::to_string(id) + ":" + name;
    target.category = "bpf";
    target.event = name;
    target.btf_id = record.type_id;
    target.bpf_program = id;
    target.is_optional = true;
    expansion.targets.push_back(std::move(target));
  }
}

Expansion expand_programs(const object::AttachPoint &point) {
  Expansion expansion;
  if (point.address != 0) {
    expand_program(point, static_cast<uint32_t>(point.address), expansion);
  } else {
    for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) expand_program(point, id, expansion);
  }
  if (expansion.targets.empty()) {
    expansion.missing = "No matches for " + point.name +
                        ": no running BPF program with types (BTF)"
                        " has such a function";
  }
  return expansion;
}

std::string missing_function(const object::AttachPoint &point, FunctionTypes &types) {
  std::string text = "No matches for " + point.name;
  if (has_wildcard(point.category) || has_wildcard(point.target)) return text;
  text += ": the kernel's types (BTF) have no such function";
  std::vector<std::string> names;
  for (TypedFunction &function : types.find("vmlinux", "*")) names.push_back(function.name);
  const std::string nearest = nearest_name(point.target, names);
  return nearest.empty() ? text : text + "; did you mean " + nearest + "?";
}

}  // namespace

AWL_EXPANDS(expand_fentry) {
  if (point.category == "bpf") return expand_programs(point);
  Result<FunctionTypes *> types = context.kernel->types();
  if (!types) return types.error();
  const bool is_pattern = has_wildcard(point.category) || has_wildcard(point.target);
  std::set<std::pair<std::string_view, std::string_view>> traceable;
  if (is_pattern) {
    Result<std::shared_ptr<const KernelFunctions>> functions = context.kernel->functions();
    if (!functions) return functions.error();
    for (const KernelFunction &function : (*functions)->matching(point.category, point.target)) {
      traceable.emplace(function.module.empty() ? "vmlinux" : function.module, function.name);
    }
  }
  Expansion expansion;
  for (const TypedFunction &function : (*types)->find(point.category, point.target)) {
    if (is_pattern && !traceable.contains({function.module, function.name})) continue;
    Target target = plain_target(point);
    target.name = point.family + ":" + function.module + ":" + function.name;
    target.category = function.module;
    target.event = function.name;
    target.btf_id = function.btf_id;
    target.is_optional = is_pattern;
    expansion.targets.push_back(std::move(target));
  }
  if (!is_pattern && expansion.targets.size() > 1) expansion.targets.resize(1);
  if (expansion.targets.empty()) expansion.missing = missing_function(point, **types);
  return expansion;
}

Result<std::vector<std::string>> list_bpf_functions(const std::string &family) {
  object::AttachPoint point;
  point.family = family;
  point.target = "*";
  std::vector<std::string> names;
  for (Target &target : expand_programs(point).targets) names.push_back(std::move(target.name));
  return names;
}

AWL_ATTACHES(attach_fentry) {
  for (const Target &target : targets) {
    FileDescriptor link;
    if (context.has_tracing_links) {
      const bool is_entry = target.point->family == "fentry";
      LIBBPF_OPTS(bpf_link_create_opts, options);
      options.tracing.cookie = target.probe_id;
      link = FileDescriptor(
          bpf_link_create(program, 0, is_entry ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT, &options));
    } else {
      link = FileDescriptor(bpf_raw_tracepoint_open(nullptr, program));
    }
    if (link) {
      attachments.add_link(std::move(link));
      continue;
    }
    failures.push_back({&target, explain_tracing_error(target, errno)});
  }
}

}  // namespace awl::runtime
