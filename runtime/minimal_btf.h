// The part of the kernel's BTF that an object's CO-RE relocations and raw tracepoints need.
//
// libbpf relocates against any BTF it is given (btf_custom_path). What a relocation can look at
// are the kernel's types of one name, and what those hold by value; what they point to is never
// entered, so pointers lead to void here. A few hundred types stand for 130,000.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/btf_view.h"
#include "runtime/type_names.h"

namespace awl::runtime {

// The types that the relocations in a `.BTF.ext` section name, without flavours ("___x"). `btf` is
// the object's own. Fails on damaged sections.
Result<std::vector<std::string>> relocated_type_names(const BtfView &btf, const uint8_t *ext,
                                                      size_t ext_size);

struct KernelTypes {
  std::vector<uint8_t> btf;                        // types of the wanted names and what they hold
  std::vector<std::optional<uint32_t>> trace_ids;  // per raw tracepoint: the id of btf_trace_<name>
  bool has_all_names = true;                       // false: a name is not in this BTF
};

// Looks for types by name, and for those of raw tracepoints. `type_names` are those of
// `kernel`.
KernelTypes extract_kernel_types(const BtfView &kernel, const TypeNames &type_names,
                                 const std::vector<std::string> &names,
                                 const std::vector<std::string> &raw_tracepoints);

}  // namespace awl::runtime
