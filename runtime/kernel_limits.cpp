#include "runtime/kernel_limits.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace awl::runtime {
namespace {

struct Helper {
  int number;  // include/uapi/linux/bpf.h
  const char *name;
  int major, minor;
};
constexpr int kMapLookupPercpuElem = 195, kGetFuncIp = 173;
// Those that came after the oldest kernel awl serves, 5.10.
constexpr Helper kHelpers[] = {
    {158, "bpf_get_current_task_btf", 5, 11},
    {164, "bpf_for_each_map_elem", 5, 13},
    {kGetFuncIp, "bpf_get_func_ip", 5, 15},
    {174, "bpf_get_attach_cookie", 5, 15},
    {175, "bpf_task_pt_regs", 5, 15},
    {180, "bpf_find_vma", 5, 17},
    {181, "bpf_loop", 5, 17},
    {182, "bpf_strncmp", 5, 17},
    {183, "bpf_get_func_arg", 5, 17},
    {184, "bpf_get_func_ret", 5, 17},
    {185, "bpf_get_func_arg_cnt", 5, 17},
    {191, "bpf_copy_from_user_task", 5, 18},
    {kMapLookupPercpuElem, "bpf_map_lookup_percpu_elem", 5, 19},
    {198, "bpf_ringbuf_reserve_dynptr", 5, 19},
    {199, "bpf_ringbuf_submit_dynptr", 5, 19},
    {202, "bpf_dynptr_write", 5, 19},
    {208, "bpf_ktime_get_tai_ns", 6, 1},
};

bool kernel_version(int *major, int *minor) {
  utsname names{};
  return uname(&names) == 0 && sscanf(names.release, "%d.%d", major, minor) == 2;
}

std::string since(int major, int minor) {
  return "came with Linux " + std::to_string(major) + "." + std::to_string(minor);
}

std::string this_kernel() {
  utsname names{};
  return uname(&names) == 0 ? " (this is " + std::string(names.release) + ")" : "";
}

bool is_call_of(const bpf_insn &instruction, int helper) {
  return instruction.code == (BPF_JMP | BPF_CALL) && instruction.src_reg == 0 &&
         instruction.imm == helper;
}

bool calls_helper(ObjectFile &file, const ObjectSection &section, int helper) {
  for (uint64_t i = 0; i < section.size / sizeof(bpf_insn); ++i) {
    const bpf_insn *instruction = file.instruction(section, i);
    if (instruction != nullptr && is_call_of(*instruction, helper)) return true;
  }
  return false;
}

bool calls_helper(ObjectFile &file, int helper) {
  for (const ObjectSection &section : file.sections()) {
    if (section.is_code && calls_helper(file, section, helper)) return true;
  }
  return false;
}

// Programs ask for the traced function only where the helper is there, and these have nothing else
// to tell it.
Status check_function(ObjectFile &file, const object::Description &description) {
  if (is_kernel_since(5, 15)) return ok();
  for (const object::Program &program : description.programs) {
    if (program.attach_points.empty()) continue;
    const std::string &family = program.attach_points.front().family;
    if (family != "kretprobe" && family != "fentry" && family != "fexit") continue;
    const ObjectSection *section = file.find_section(program.section);
    if (section == nullptr || !calls_helper(file, *section, kGetFuncIp)) continue;
    return Error{"func in " + program.attach_points.front().name + ": bpf_get_func_ip " +
                     since(5, 15) + this_kernel() + "; probe has the function's name",
                 ENOTSUP};
  }
  return ok();
}

// Before 5.11 the kernel takes no keys that would not fit on a program's stack
// (kernel/bpf/hashtab.c, htab_map_alloc_check).
Status check_keys(const object::Description &description) {
  constexpr uint32_t kMaxKeySize = 512;  // MAX_BPF_STACK
  for (const object::Map &map : description.maps) {
    if (map.key_size <= kMaxKeySize || is_kernel_since(5, 11)) continue;
    return Error{"the keys of " + map.name + " have " + std::to_string(map.key_size) +
                     " bytes, and more than " + std::to_string(kMaxKeySize) + " " + since(5, 11) +
                     this_kernel() +
                     ". Shorter strings help: config = { max_strlen = 128 }, or str(pointer, 128)",
                 E2BIG};
  }
  return ok();
}

}  // namespace

bool is_kernel_since(int major, int minor) {
  int own_major = 0, own_minor = 0;
  if (!kernel_version(&own_major, &own_minor)) return true;
  return own_major > major || (own_major == major && own_minor >= minor);
}

Status check_kernel_limits(ObjectFile &file, const object::Description &description) {
  Status keys = check_keys(description);
  if (!keys) return keys;
  Status functions = check_function(file, description);
  if (!functions) return functions;
  // Such a program reads its own CPU's value where the helper is missing: right for one CPU alone.
  if (calls_helper(file, kMapLookupPercpuElem) && !is_kernel_since(5, 19) &&
      libbpf_num_possible_cpus() > 1) {
    return Error{
        "a program reads what count(), sum() or another aggregation has on all CPUs, and "
        "bpf_map_lookup_percpu_elem " +
            since(5, 19) + this_kernel() +
            ". Printing the map works, and so does a plain integer (@n++)",
        ENOTSUP};
  }
  return ok();
}

std::string find_missing_feature(const std::string &verifier_log) {
  // How kernels before 5.13 see a function that is called by a helper (kernel/bpf/verifier.c).
  // Bodies of loops are functions that no call names, or whose address is loaded.
  if (verifier_log.find("number of funcs in func_info doesn't match") != std::string::npos ||
      verifier_log.find("unrecognized bpf_ld_imm64 insn") != std::string::npos) {
    return "a loop over a map (bpf_for_each_map_elem) " + since(5, 13) +
           ", one over a long range or with a while of many rounds (bpf_loop) with 5.17" +
           this_kernel();
  }
  // The helper looks itself at where it is called from (bpf_d_path_allowed).
  const size_t path = verifier_log.rfind("call bpf_d_path#");
  if (path != std::string::npos &&
      verifier_log.find("helper call is not allowed", path) != std::string::npos) {
    return "this kernel tells no paths here: path() is for the functions in its list "
           "btf_allowlist_d_path, since 5.11 for security hooks that may sleep, since 5.12 for "
           "iterators" +
           this_kernel();
  }
  if (verifier_log.find("__noreturn functions is rejected") != std::string::npos) {
    return "the function never returns, so there is no exit to see; fentry and kprobe see its "
           "entry";
  }
  // "unknown func bpf_loop#181", "invalid func unknown#208"
  for (const char *words : {"unknown func ", "invalid func "}) {
    const size_t at = verifier_log.rfind(words);
    const size_t mark = at == std::string::npos ? at : verifier_log.find('#', at);
    if (mark == std::string::npos) continue;
    const int number = atoi(verifier_log.c_str() + mark + 1);
    const auto *helper = std::find_if(std::begin(kHelpers), std::end(kHelpers),
                                      [&](const Helper &known) { return known.number == number; });
    if (helper == std::end(kHelpers)) continue;
    if (is_kernel_since(helper->major, helper->minor)) {
      return std::string(helper->name) + " is not offered to programs of this kind by this kernel";
    }
    return std::string(helper->name) + " " + since(helper->major, helper->minor) + this_kernel();
  }
  return {};
}

}  // namespace awl::runtime
