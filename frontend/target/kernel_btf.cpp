#include "frontend/target/kernel_btf.h"

#include <dirent.h>

#include <algorithm>

namespace awl::frontend {
namespace {

class BtfFolder : public KernelBtf {
 public:
  explicit BtfFolder(std::string folder) : folder_(std::move(folder)) {}

 protected:
  Result<BtfRef> open_vmlinux() override { return Btf::open(folder_ + "/vmlinux"); }

  std::vector<BtfRef> open_modules(const BtfRef &vmlinux) override {
    std::vector<std::string> names;
    if (DIR *dir = ::opendir(folder_.c_str())) {
      while (const dirent *entry = ::readdir(dir)) {
        const std::string name = entry->d_name;
        if (!name.starts_with('.') && name != "vmlinux") names.push_back(name);
      }
      ::closedir(dir);
    }
    std::sort(names.begin(), names.end());
    std::vector<BtfRef> found;
    for (const std::string &name : names) {
      // One that cannot be read (the module was just unloaded) is as if it were not there.
      const Result<BtfRef> btf = Btf::open(folder_ + "/" + name, name, vmlinux);
      if (btf) found.push_back(*btf);
    }
    return found;
  }

 private:
  std::string folder_;
};

constexpr std::string_view kTracepointTypedefPrefix = "btf_trace_";

// The prototype of the functions that a raw tracepoint calls: its `btf_trace_<name>` is a pointer
// to such a function. 0: not what it should be.
uint32_t prototype_of_typedef(const Btf &btf, uint32_t typedef_id) {
  const btf_type *type = btf.type(typedef_id);
  const btf_type *pointer = type ? btf.type(type->type) : nullptr;
  if (pointer == nullptr || kind_of(*pointer) != BTF_KIND_PTR) return 0;
  const btf_type *prototype = btf.type(pointer->type);
  return prototype && kind_of(*prototype) == BTF_KIND_FUNC_PROTO ? pointer->type : 0;
}

// The typedef's prototype has no parameter names. The kernel has functions of the same parameters
// with names: a stub to place probes on, the caller of all callbacks, and BPF's callback.
uint32_t named_prototype(const Btf &btf, const std::string &name, uint32_t unnamed) {
  const btf_type *wanted = btf.type(unnamed);
  for (const char *prefix : {"__probestub_", "__traceiter_", "__bpf_trace_"}) {
    const uint32_t function = btf.find(prefix + name, kind_bit(BTF_KIND_FUNC));
    if (function == 0) continue;
    const uint32_t id = btf.type(function)->type;
    const btf_type *prototype = btf.type(id);
    if (prototype && kind_of(*prototype) == BTF_KIND_FUNC_PROTO &&
        count_of(*prototype) == count_of(*wanted)) {
      return id;
    }
  }
  return unnamed;
}

}  // namespace

std::unique_ptr<KernelBtf> make_kernel_btf(const std::string &folder) {
  return std::make_unique<BtfFolder>(folder);
}

const Btf *KernelBtf::vmlinux() {
  if (!vmlinux_tried_) {
    vmlinux_tried_ = true;
    if (Result<BtfRef> btf = open_vmlinux()) vmlinux_ = *btf;
  }
  return vmlinux_.get();
}

const std::vector<KernelBtf::BtfRef> &KernelBtf::modules() {
  if (!modules_tried_ && vmlinux() != nullptr) {
    modules_tried_ = true;
    modules_ = open_modules(vmlinux_);
  }
  return modules_;
}

const Btf *KernelBtf::find(const std::string &module) {
  if (module.empty() || module == "vmlinux") return vmlinux();
  for (const BtfRef &btf : modules()) {
    if (btf->module() == module) return btf.get();
  }
  return nullptr;
}

KernelBtf::Found KernelBtf::find_type(const std::string &name, uint32_t kinds) {
  if (const Btf *btf = vmlinux()) {
    if (const uint32_t id = btf->find(name, kinds)) return {btf, id};
  }
  for (const BtfRef &btf : modules()) {
    if (const uint32_t id = btf->find(name, kinds)) return {btf.get(), id};
  }
  return {};
}

KernelBtf::Found KernelBtf::find_type_in(const std::string &module, const std::string &name,
                                         uint32_t kinds) {
  if (module.empty()) return find_type(name, kinds);
  const Btf *btf = find(module);
  const uint32_t id = btf ? btf->find(name, kinds) : 0;
  return id ? Found{btf, id} : Found{};
}

KernelBtf::Found KernelBtf::find_enumerator(const std::string &name, int64_t *value) {
  uint32_t id = 0;
  if (const Btf *btf = vmlinux(); btf && btf->find_enumerator(name, &id, value)) return {btf, id};
  for (const BtfRef &btf : modules()) {
    if (btf->find_enumerator(name, &id, value)) return {btf.get(), id};
  }
  return {};
}

std::optional<FunctionSignature> find_kernel_function(KernelBtf &kernel, BtfTypes &types,
                                                      const std::string &module,
                                                      const std::string &name) {
  const KernelBtf::Found found = kernel.find_type_in(module, name, kind_bit(BTF_KIND_FUNC));
  if (found.btf == nullptr) return std::nullopt;
  return types.signature(*found.btf, found.id);
}

std::optional<FunctionSignature> find_raw_tracepoint(KernelBtf &kernel, BtfTypes &types,
                                                     const std::string &name) {
  const size_t colon = name.find(':');
  const std::string module = colon == std::string::npos ? "" : name.substr(0, colon);
  const std::string event = colon == std::string::npos ? name : name.substr(colon + 1);
  const KernelBtf::Found found = kernel.find_type_in(
      module, std::string(kTracepointTypedefPrefix) + event, kind_bit(BTF_KIND_TYPEDEF));
  if (found.btf == nullptr) return std::nullopt;
  const uint32_t unnamed = prototype_of_typedef(*found.btf, found.id);
  if (unnamed == 0) return std::nullopt;
  return types.signature(*found.btf, named_prototype(*found.btf, event, unnamed), 1);
}

std::vector<std::string> list_typed_functions(KernelBtf &kernel, const std::string &module,
                                              const std::string &name) {
  std::vector<std::string> names;
  const std::string_view prefix = std::string_view(name).substr(0, name.find_first_of("*?["));
  const auto collect = [&](const Btf &btf) {
    const std::string in = btf.module().empty() ? "vmlinux" : btf.module();
    if (!module.empty() && !matches_pattern(module, in)) return;
    btf.for_each([&](uint32_t, const btf_type &type) {
      if (kind_of(type) != BTF_KIND_FUNC) return;
      const std::string function(btf.name(type));
      if (!function.starts_with(prefix) || !matches_pattern(name, function)) return;
      const btf_type *prototype = btf.type(type.type);
      if (prototype == nullptr || kind_of(*prototype) != BTF_KIND_FUNC_PROTO) return;
      const auto parameters = btf.parameters(*prototype);
      if (parameters.empty() || parameters.back().type != 0) names.push_back(in + ":" + function);
    });
  };
  if (const Btf *btf = kernel.vmlinux()) collect(*btf);
  if (module != "vmlinux") {
    for (const KernelBtf::BtfRef &btf : kernel.modules()) collect(*btf);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> list_names(KernelBtf &kernel, const std::string &prefix, uint32_t kind) {
  std::vector<std::string> names;
  const Btf *btf = kernel.vmlinux();
  if (btf == nullptr) return names;
  btf->for_each([&](uint32_t, const btf_type &type) {
    if (kind_of(type) != kind) return;
    const std::string_view name = btf->name(type);
    if (name.starts_with(prefix)) names.emplace_back(name.substr(prefix.size()));
  });
  return names;
}

std::vector<std::string> list_raw_tracepoints(KernelBtf &kernel) {
  std::vector<std::string> names;
  const auto collect = [&names](const Btf &btf) {
    btf.for_each([&](uint32_t, const btf_type &type) {
      if (kind_of(type) != BTF_KIND_TYPEDEF) return;
      const std::string_view name = btf.name(type);
      if (!name.starts_with(kTracepointTypedefPrefix)) return;
      const std::string event(name.substr(kTracepointTypedefPrefix.size()));
      names.push_back(btf.module().empty() ? event : btf.module() + ":" + event);
    });
  };
  if (const Btf *btf = kernel.vmlinux()) collect(*btf);
  for (const KernelBtf::BtfRef &btf : kernel.modules()) collect(*btf);
  return names;
}

}  // namespace awl::frontend
