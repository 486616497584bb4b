#include "frontend/probes/tracepoint_format.h"

#include <cerrno>
#include <optional>

#include "frontend/probes/syscall_table.h"

namespace awl::frontend {
namespace {

constexpr uint32_t kFirstArgument = 16;  // of a system call, behind its number
constexpr std::string_view kEnter = "sys_enter_", kExit = "sys_exit_";
constexpr std::string_view kDataLoc = "__data_loc_";

std::optional<TracepointFormat> syscall_format(const std::string &event) {
  TracepointFormat format;
  format.fields.push_back({"__syscall_nr", "int", 8, 4, true, false});
  if (event.starts_with(kExit)) {
    format.fields.push_back({"ret", "long", kFirstArgument, 8, true, false});
    return format;
  }
  std::vector<SyscallParameter> parameters;
  bool is_known =
      event.starts_with(kEnter) &&
      find_syscall_parameters(canonical_syscall(event.substr(kEnter.size())), &parameters);
  if (!is_known) return std::nullopt;
  uint32_t offset = kFirstArgument;
  for (SyscallParameter &parameter : parameters) {
    format.fields.push_back({parameter.name, parameter.type_text, offset, 8, false, false});
    offset += 8;
  }
  return format;
}

// struct trace_event_raw_<event>: the common header, the fields, and what is of variable size
// (include/trace/stages/stage1_struct_define.h).
std::optional<TracepointFormat> struct_format(TypeStore &types, const std::string &event) {
  TypeRef record = types.find_struct("trace_event_raw_" + event, false);
  if (!record) return std::nullopt;
  TracepointFormat format;
  for (const StructDef::Member &member : types.complete(record->struct_def).members) {
    if (member.name == "ent" || member.name == "__data" || member.bit_size != 0) continue;
    TracepointField field{
        member.name, member.type_text, member.bit_offset / 8, types.size_of(member.type), false,
        false};
    field.is_signed = member.type->is_integer() && member.type->is_signed;
    if (field.name.starts_with(kDataLoc)) {
      field.name.erase(0, kDataLoc.size());
      field.type_text = "__data_loc char[]";
      field.is_data_loc = true;
    }
    format.fields.push_back(std::move(field));
  }
  return format;
}

}  // namespace

Result<TracepointFormat> find_tracepoint_format(Target &target, TypeStore &types,
                                                const std::string &category,
                                                const std::string &event) {
  Result<TracepointFormat> format = target.tracepoint_format(category, event);
  if (format || (format.error().code != EACCES && format.error().code != EPERM)) return format;
  std::optional<TracepointFormat> known =
      category == "syscalls" ? syscall_format(event) : struct_format(types, event);
  if (known) return *known;
  return Error{"reading tracepoint " + category + ":" + event +
                   " needs root; without, compile for a snapshot that `awl snapshot` wrote as root "
                   "(--target)",
               format.error().code};
}

}  // namespace awl::frontend
