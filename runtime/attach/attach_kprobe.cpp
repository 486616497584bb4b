// kprobe and kretprobe: a kernel function by name, a place in it, or a bare address.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/kernel_symbols.h"
#include "base/pattern.h"
#include "runtime/attach/families.h"
#include "runtime/attach/function_types.h"
#include "runtime/attach/multi_link.h"
#include "runtime/attach/nearest.h"
#include "runtime/attach/perf_event.h"

namespace awl::runtime {
namespace {

constexpr const char *kKprobeDevice = "/sys/bus/event_source/devices/kprobe/";
constexpr size_t kMaxShownAddresses = 4;

bool is_kernel(const std::string &module) { return module.empty() || module == "vmlinux"; }

// The addresses of all functions of one name.
std::vector<uint64_t> addresses_of(const std::string &module, const std::string &name) {
  std::vector<uint64_t> addresses;
  Result<std::shared_ptr<const KernelSymbols>> symbols = KernelSymbols::read();
  if (!symbols) return addresses;
  for (const KernelSymbol &symbol : (*symbols)->symbols()) {
    if (!symbol.is_function || symbol.name != name) continue;
    const std::string_view in = symbol.module.empty() ? "vmlinux" : symbol.module;
    if (module.empty() || module == in) addresses.push_back(symbol.address);
  }
  return addresses;
}

std::string hexadecimal(uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// Why the kernel does not take a kprobe on a function, in words.
Error explain(const AttachContext &context, const Target &target, int code) {
  const std::string &name = target.event;
  if (target.point->has_address) {
    return Error::from_errno("the kernel puts no probe at " + hexadecimal(target.point->address),
                             code);
  }
  const std::vector<uint64_t> addresses = addresses_of(target.category, name);
  if (addresses.size() > 1 && code == EADDRNOTAVAIL) {
    std::string text = std::to_string(addresses.size()) + " functions are called " + name +
                       "; with --unsafe an address names one of them:";
    for (size_t i = 0; i < std::min(addresses.size(), kMaxShownAddresses); ++i) {
      text += " " + hexadecimal(addresses[i]);
    }
    return {text, code};
  }
  if (addresses.empty() && code == ENOENT) {
    std::string text = "the kernel has no function " + name;
    if (!is_kernel(target.category)) text += " in the module " + target.category;
    Result<std::shared_ptr<const KernelFunctions>> functions = context.kernel->functions();
    if (functions) {
      std::vector<std::string> names;
      for (const KernelFunction &known : (*functions)->all()) names.emplace_back(known.name);
      const std::string nearest = nearest_name(name, names);
      if (!nearest.empty() && nearest != name) text += "; did you mean " + nearest + "?";
    }
    return {text, code};
  }
  if (code == EILSEQ) {
    return {"no instruction of " + name + " begins at +" + std::to_string(target.point->offset),
            code};
  }
  if (code == EINVAL && target.is_override) {
    return {name +
                " cannot be overridden: the kernel allows it for functions that are marked with "
                "ALLOW_ERROR_INJECTION",
            code};
  }
  if (code == EPERM || code == EACCES) {
    return {"the kernel takes no probe on " + name +
                ": it is locked down (/sys/kernel/security/lockdown), or denies it to this process",
            code};
  }
  if (code == EINVAL) {
    return {name + " cannot be traced (it is notrace, or kprobes themselves need it)", code};
  }
  return Error::from_errno("the kernel takes no probe on " + name, code);
}

Status attach_one(const AttachContext &context, const PerfDevice &device, const Target &target,
                  int program, Attachments &attachments) {
  perf_event_attr attributes{};
  attributes.type = device.type;
  attributes.config = device.config;
  if (target.point->has_address) {
    attributes.config2 = target.point->address;
  } else if (target.address != 0) {
    attributes.config2 = target.address;
  } else if (is_kernel(target.category)) {
    attributes.config1 = reinterpret_cast<uintptr_t>(target.event.c_str());
    attributes.config2 = target.point->offset;
  } else {
    // Kernels differ in whether they take "module:function": an address is plain to all.
    const std::vector<uint64_t> addresses = addresses_of(target.category, target.event);
    if (addresses.empty()) return explain(context, target, ENOENT);
    if (addresses.size() > 1) return explain(context, target, EADDRNOTAVAIL);
    attributes.config2 = addresses.front() + target.point->offset;
  }
  const EventScope scope{-1, online_cpus().front()};
  Status status =
      attach_perf_event(context, attributes, scope, program, target.probe_id, true, attachments);
  if (!status) return explain(context, target, status.error().code);
  return ok();
}

void attach_singly(const AttachContext &context, int program, const std::vector<Target> &targets,
                   bool is_return, Attachments &attachments, std::vector<AttachFailure> &failures) {
  Result<PerfDevice> device = find_perf_device(kKprobeDevice, is_return);
  for (const Target &target : targets) {
    if (!device) {
      failures.push_back(
          {&target, {"the kernel has no kprobes (it was built without CONFIG_KPROBES)", ENOSYS}});
      continue;
    }
    Status status = attach_one(context, *device, target, program, attachments);
    if (!status) failures.push_back({&target, status.error()});
  }
}

// Attaches to a range of targets by one link: all by name, or all by address. Where one of them
// cannot be traced the kernel refuses all: then each half is tried by itself.
void attach_range(const AttachContext &context, int program, const Target *const *begin,
                  size_t count, bool is_return, Attachments &attachments,
                  std::vector<AttachFailure> &failures) {
  KprobeMultiRequest request;
  request.is_return = is_return && !is_session(begin[0]->link);
  for (size_t i = 0; i < count; ++i) {
    const Target &target = *begin[i];
    if (target.address != 0) {
      request.addresses.push_back(target.address);
    } else {
      request.functions.push_back(target.event.c_str());
    }
    request.cookies.push_back(target.probe_id);
  }
  Result<FileDescriptor> link = attach_multi(program, begin[0]->link, request);
  if (link) return attachments.add_link(std::move(*link));
  const int code = link.error().code;
  const bool may_be_one = code == ESRCH || code == EINVAL || code == ENOENT;
  if (count == 1 || !may_be_one) {
    for (size_t i = 0; i < count; ++i) {
      failures.push_back(
          {begin[i], may_be_one ? explain(context, *begin[i], EINVAL) : link.error()});
    }
    return;
  }
  const size_t half = count / 2;
  attach_range(context, program, begin, half, is_return, attachments, failures);
  attach_range(context, program, begin + half, count - half, is_return, attachments, failures);
}

void attach(const AttachContext &context, int program, const std::vector<Target> &targets,
            bool is_return, Attachments &attachments, std::vector<AttachFailure> &failures) {
  if (targets.front().link == MultiLink::kNone) {
    return attach_singly(context, program, targets, is_return, attachments, failures);
  }
  std::vector<const Target *> named, placed;
  for (const Target &target : targets) {
    (target.address != 0 ? placed : named).push_back(&target);
  }
  for (const std::vector<const Target *> &part : {named, placed}) {
    if (part.empty()) continue;
    attach_range(context, program, part.data(), part.size(), is_return, attachments, failures);
  }
}

using ModuleAndName = std::pair<std::string_view, std::string_view>;

// The addresses of functions whose names are not theirs alone. Empty where the kernel does not
// tell.
std::multimap<ModuleAndName, uint64_t> find_addresses(
    const std::vector<KernelFunction> &functions) {
  std::multimap<ModuleAndName, uint64_t> found;
  std::set<ModuleAndName> ambiguous;
  for (const KernelFunction &function : functions) {
    if (function.is_ambiguous) ambiguous.emplace(function.module, function.name);
  }
  if (ambiguous.empty()) return found;
  Result<std::shared_ptr<const KernelSymbols>> symbols = KernelSymbols::read();
  if (!symbols) return found;
  for (const KernelSymbol &symbol : (*symbols)->symbols()) {
    if (!symbol.is_function) continue;
    const auto name = ambiguous.find({symbol.module, symbol.name});
    if (name != ambiguous.end()) found.emplace(*name, symbol.address);
  }
  return found;
}

}  // namespace

AWL_EXPANDS(expand_kprobe) {
  Expansion expansion;
  if (!has_wildcard(point.category) && !has_wildcard(point.target)) {
    // Whether it exists shows when it is attached.
    Target target = plain_target(point);
    target.category = point.category;
    target.event = point.target;
    expansion.targets.push_back(std::move(target));
    return expansion;
  }
  Result<std::shared_ptr<const KernelFunctions>> functions = context.kernel->functions();
  if (!functions) return functions.error();
  const std::vector<KernelFunction> matching = (*functions)->matching(point.category, point.target);
  const auto addresses = find_addresses(matching);
  for (const KernelFunction &function : matching) {
    Target target = plain_target(point);
    target.name = point.family + ":";
    const std::string module(function.module.empty() ? "vmlinux" : function.module);
    if (!point.category.empty()) target.name += module + ":";
    target.name += function.name;
    target.category = module;
    target.event = function.name;
    target.is_optional = true;
    const auto [first, last] = addresses.equal_range({function.module, function.name});
    if (first == last) expansion.targets.push_back(target);
    for (auto at = first; at != last; ++at) {
      target.address = at->second;
      expansion.targets.push_back(target);
    }
  }
  if (expansion.targets.empty()) expansion.missing = "No matches for " + point.name;
  return expansion;
}

AWL_ATTACHES(attach_kprobe) { attach(context, program, targets, false, attachments, failures); }

AWL_ATTACHES(attach_kretprobe) { attach(context, program, targets, true, attachments, failures); }

}  // namespace awl::runtime
