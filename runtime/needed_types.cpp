#include "runtime/needed_types.h"

#include <sys/mman.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <vector>

#include "runtime/minimal_btf.h"

namespace awl::runtime {
namespace {

// The types whose fields the object's relocations name.
Result<std::vector<std::string>> relocated_names(const ObjectFile &file) {
  const ObjectSection *btf_section = file.find_section(".BTF");
  const ObjectSection *ext_section = file.find_section(".BTF.ext");
  if (btf_section == nullptr || ext_section == nullptr) return std::vector<std::string>();
  const std::string btf = file.section_text(*btf_section);
  const std::string ext = file.section_text(*ext_section);
  Result<BtfView> view = BtfView::parse(reinterpret_cast<const uint8_t *>(btf.data()), btf.size());
  if (!view) return view.error().with_context("the object's types");
  return relocated_type_names(*view, reinterpret_cast<const uint8_t *>(ext.data()), ext.size());
}

// The raw tracepoints that programs are attached to; many programs share one.
std::vector<std::string> raw_tracepoints(const object::Description &description, const Plan &plan) {
  std::set<std::string> names;
  for (size_t i = 0; i < description.programs.size(); ++i) {
    const std::string &section = description.programs[i].section;
    if (!plan.instances[i].empty() && section.starts_with(kRawBtfPrefix)) {
      names.insert(section.substr(kRawBtfPrefix.size()));
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace

Result<NeededTypes> find_needed_types(const ObjectFile &file,
                                      const object::Description &description, const Plan &plan,
                                      HeadStart *head_start) {
  const Result<std::vector<std::string>> names = relocated_names(file);
  if (!names) return names.error();
  const std::vector<std::string> tracepoints = raw_tracepoints(description, plan);
  NeededTypes needed;
  if (names->empty() && tracepoints.empty()) return needed;
  std::optional<NamedKernelBtf> kernel =
      head_start ? head_start->take_kernel_types() : std::nullopt;
  if (!kernel) {
    Result<NamedKernelBtf> opened = NamedKernelBtf::open();
    if (!opened) return needed;
    kernel.emplace(std::move(*opened));
  }
  const KernelTypes types =
      extract_kernel_types(kernel->btf.view(), kernel->names, *names, tracepoints);
  for (size_t i = 0; i < tracepoints.size(); ++i) {
    if (!types.trace_ids[i]) return needed;
    needed.trace_ids[tracepoints[i]] = *types.trace_ids[i];
  }
  if (names->empty() || !types.has_all_names) return needed;
  needed.file = FileDescriptor(memfd_create("awl-btf", MFD_CLOEXEC));
  if (!needed.file || write(needed.file.get(), types.btf.data(), types.btf.size()) !=
                          static_cast<ssize_t>(types.btf.size())) {
    return Error::from_errno("cannot pass the kernel's types on");
  }
  needed.path = "/proc/self/fd/" + std::to_string(needed.file.get());
  return needed;
}

}  // namespace awl::runtime
