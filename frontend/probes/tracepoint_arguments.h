// The type of `args` in tracepoints, made from the kernel's format files.
#pragma once

#include <set>
#include <string>

#include "frontend/probes/syscall_table.h"
#include "frontend/target/target.h"
#include "frontend/types/type.h"

namespace awl::frontend {

// The type of a field. `space` is where its pointers point to; strings of variable length get
// `string_bytes` (with the NUL). Never null: what is not understood is an integer of its size.
TypeRef tracepoint_field_type(TypeStore &types, const TracepointField &field, AddressSpace space,
                              uint32_t string_bytes);

// A struct with the fields of the record at their offsets, called "tracepoint:CATEGORY:EVENT_args".
// Of fields outside of `used` (empty: all count) only place and size are right: to look their
// types up among all of the kernel's takes time.
TypeRef tracepoint_arguments(TypeStore &types, const std::string &category,
                             const std::string &event, const TracepointFormat &format,
                             uint32_t string_bytes, const std::set<std::string> &used = {});

// The same for a system call: the parameters of the kernel's function with their C types, at 8
// bytes each, "syscall:NAME_args". The origin says where they are read from.
TypeRef syscall_arguments(TypeStore &types, const std::string &name,
                          const std::vector<SyscallParameter> &parameters,
                          StructDef::Origin origin, const std::set<std::string> &used = {});

}  // namespace awl::frontend
