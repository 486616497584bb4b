#include "runtime/attach/function_types.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <tuple>

#include "base/folder.h"
#include "base/pattern.h"

namespace awl::runtime {
namespace {

constexpr uint32_t kMaxDepth = 64;  // longer than any real chain of typedefs and qualifiers
constexpr uint32_t kSlotSize = 8;
constexpr const char *kKernel = "vmlinux";

// How many words of the context a parameter takes: structs of up to 16 bytes are passed by value
// in as many as they need (kernel/bpf/btf.c, btf_ctx_access).
uint32_t slots_of(const BtfView &types, uint32_t id) {
  for (uint32_t depth = 0; depth < kMaxDepth; ++depth) {
    const btf_type *type = types.type(id);
    if (type == nullptr) return 1;
    switch (BtfView::kind(type)) {
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_CONST:
      case BTF_KIND_RESTRICT:
      case BTF_KIND_TYPE_TAG:
        id = type->type;
        continue;
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_INT:
        return std::max<uint32_t>(1, (type->size + kSlotSize - 1) / kSlotSize);
      default:
        return 1;
    }
  }
  return 1;
}

const btf_type *prototype_of(const BtfView &types, const btf_type *function) {
  const btf_type *prototype = types.type(function->type);
  return prototype != nullptr && BtfView::kind(prototype) == BTF_KIND_FUNC_PROTO ? prototype
                                                                                 : nullptr;
}

// BTF ends the parameters of a variadic function with one without type and name.
bool is_variadic(const BtfView &types, const btf_type *prototype) {
  const uint32_t count = BtfView::count(prototype);
  return count > 0 && types.details<btf_param>(prototype)[count - 1].type == 0;
}

}  // namespace

Result<std::unique_ptr<FunctionTypes>> FunctionTypes::open(std::string folder) {
  std::unique_ptr<FunctionTypes> types(new FunctionTypes(std::move(folder)));
  Result<KernelBtf> kernel = KernelBtf::open(types->folder_ + "/" + kKernel);
  if (!kernel) {
    return kernel.error().with_context("the kernel has no type information (BTF) to read");
  }
  types->opened_.push_back(std::move(*kernel));
  types->by_module_[kKernel] = &types->opened_.front().view();
  return types;
}

const BtfView *FunctionTypes::module_types(const std::string &module) {
  const auto known = by_module_.find(module);
  if (known != by_module_.end()) return known->second;
  const BtfView *&types = by_module_[module];
  if (module.empty() || module.find('/') != std::string::npos) return nullptr;
  Result<KernelBtf> opened = KernelBtf::open(folder_ + "/" + module, &opened_.front().view());
  if (!opened) return nullptr;
  opened_.push_back(std::move(*opened));
  return types = &opened_.back().view();
}

std::vector<std::string> FunctionTypes::module_names() const {
  std::vector<std::string> names = names_in_folder(folder_);
  std::erase(names, kKernel);
  return names;
}

void FunctionTypes::find_in(const std::string &module, const BtfView &types,
                            const std::string &name, std::vector<TypedFunction> &found) const {
  const bool is_pattern = has_wildcard(name);
  for (uint32_t id = std::max(types.first_id(), 1u); id < types.type_count(); ++id) {
    const btf_type *type = types.type(id);
    if (BtfView::kind(type) != BTF_KIND_FUNC) continue;
    const std::string_view text = types.string(type->name_off);
    if (is_pattern ? !matches_pattern(name, text) : text != name) continue;
    const btf_type *prototype = prototype_of(types, type);
    if (prototype == nullptr || is_variadic(types, prototype)) continue;
    found.push_back({std::string(text), module, id});
  }
}

std::vector<TypedFunction> FunctionTypes::find(const std::string &module, const std::string &name) {
  std::vector<TypedFunction> found;
  if (module.empty() || matches_pattern(module, kKernel)) {
    find_in(kKernel, opened_.front().view(), name, found);
  }
  const bool is_answered = module == kKernel || (!has_wildcard(name) && !found.empty());
  if (!is_answered) {
    const bool is_name = !module.empty() && !has_wildcard(module);
    for (const std::string &candidate :
         is_name ? std::vector<std::string>{module} : module_names()) {
      if (!is_name && !module.empty() && !matches_pattern(module, candidate)) continue;
      if (const BtfView *types = module_types(candidate)) {
        find_in(candidate, *types, name, found);
      }
    }
  }
  const auto key = [](const TypedFunction &f) { return std::tie(f.module, f.name); };
  // A name that the BTF has several times is one function to the kernel: the first.
  std::stable_sort(found.begin(), found.end(),
                   [&](const TypedFunction &a, const TypedFunction &b) { return key(a) < key(b); });
  found.erase(
      std::unique(found.begin(), found.end(),
                  [&](const TypedFunction &a, const TypedFunction &b) { return key(a) == key(b); }),
      found.end());
  return found;
}

bool FunctionTypes::has_struct(std::string_view name) const {
  const BtfView &types = opened_.front().view();
  for (uint32_t id = 1; id < types.type_count(); ++id) {
    const btf_type *type = types.type(id);
    if (BtfView::kind(type) == BTF_KIND_STRUCT && types.string(type->name_off) == name) return true;
  }
  return false;
}

std::optional<int32_t> FunctionTypes::argument_offset(const TypedFunction &function,
                                                      std::string_view argument) {
  const BtfView *types = module_types(function.module);
  const btf_type *type = types != nullptr ? types->type(function.btf_id) : nullptr;
  const btf_type *prototype = type != nullptr ? prototype_of(*types, type) : nullptr;
  if (prototype == nullptr) return std::nullopt;
  uint32_t slots = 0;
  for (uint32_t i = 0; i < BtfView::count(prototype); ++i) {
    const btf_param &parameter = types->details<btf_param>(prototype)[i];
    if (types->string(parameter.name_off) == argument) {
      return static_cast<int32_t>(slots * kSlotSize);
    }
    slots += slots_of(*types, parameter.type);
  }
  if (argument == "return") return static_cast<int32_t>(slots * kSlotSize);
  return std::nullopt;
}

bool has_tracing_links(const FunctionTypes &types) { return types.has_struct("bpf_tramp_link"); }

bool keeps_returns_with_threads(const FunctionTypes &types) {
  return types.has_struct("fprobe_hlist");
}

Result<FileDescriptor> open_module_btf(const std::string &module) {
  uint32_t id = 0;
  while (bpf_btf_get_next_id(id, &id) == 0) {
    FileDescriptor btf(bpf_btf_get_fd_by_id(id));
    if (!btf) continue;
    char name[64] = "";
    bpf_btf_info info{};
    info.name = reinterpret_cast<uintptr_t>(name);
    info.name_len = sizeof name;
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(btf.get(), &info, &size) != 0) continue;
    if (info.kernel_btf != 0 && module == name) return btf;
  }
  return Error{"the module " + module + " has no type information (BTF)"};
}

Result<std::shared_ptr<const KernelFunctions>> KernelFacts::functions() {
  if (functions_ == nullptr) {
    Result<std::shared_ptr<const KernelFunctions>> read =
        KernelFunctions::read(traceable_functions_);
    if (!read) return read.error();
    functions_ = *read;
  }
  return functions_;
}

Result<FunctionTypes *> KernelFacts::types() {
  if (types_ == nullptr) {
    Result<std::unique_ptr<FunctionTypes>> opened = FunctionTypes::open();
    if (!opened) return opened.error();
    types_ = std::move(*opened);
  }
  return types_.get();
}

}  // namespace awl::runtime
