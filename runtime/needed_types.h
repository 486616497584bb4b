// What an object needs of the kernel's types (BTF), found once for all programs.
//
// Where that is not all there, libbpf looks for itself, in the BTF of modules too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "runtime/head_start.h"
#include "runtime/object/description.h"
#include "runtime/object_file.h"
#include "runtime/plan.h"

namespace awl::runtime {

inline constexpr std::string_view kRawBtfPrefix = "tp_btf/";
using TraceIds = std::map<std::string, uint32_t>;  // types of raw tracepoints in the kernel's BTF

struct NeededTypes {
  FileDescriptor file;
  std::string path;  // of a BTF for CO-RE relocations, as long as `file`; empty: libbpf finds it
  TraceIds trace_ids;
};

// Errors: the object's own types are malformed. `head_start` may be null.
Result<NeededTypes> find_needed_types(const ObjectFile &file,
                                      const object::Description &description, const Plan &plan,
                                      HeadStart *head_start);

}  // namespace awl::runtime
