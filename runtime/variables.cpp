#include "runtime/variables.h"

#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cgroup.h"
#include "base/kernel_symbols.h"
#include "runtime/clocks.h"
#include "runtime/kfunc.h"

namespace awl::runtime {
namespace {

constexpr uint64_t kInitialPidNamespace = 0xeffffffc;  // PROC_PID_INIT_INO

class VariableWriter {
 public:
  VariableWriter(const VariableSources &sources, uint8_t *rodata, size_t size)
      : file_(sources.file),
        description_(sources.description),
        plan_(sources.plan),
        inputs_(sources.inputs),
        trace_ids_(sources.trace_ids),
        rodata_(rodata),
        rodata_size_(size) {}

  Status set_all() {
    struct stat pid_namespace {};
    if (stat("/proc/self/ns/pid", &pid_namespace) != 0 ||
        pid_namespace.st_ino == kInitialPidNamespace) {
      pid_namespace = {};
    }
    const std::pair<const char *, uint64_t> numbers[] = {
        {object::kPidFilterVariable, inputs_.pid_filter},
        {object::kSampledPidVariable, inputs_.pid_filter ? inputs_.pid_filter : inputs_.child_pid},
        {object::kSelfPidVariable, static_cast<uint64_t>(getpid())},
        {object::kChildPidVariable, inputs_.child_pid},
        {object::kCpuCountVariable, static_cast<uint64_t>(libbpf_num_possible_cpus())},
        {object::kStartTimeVariable, boot_time_ns()},
        {object::kWallClockVariable, static_cast<uint64_t>(realtime_offset_ns())},
        {object::kParameterCountVariable, inputs_.positional_count},
        {object::kPidNamespaceDev, pid_namespace.st_dev},
        {object::kPidNamespaceIno, pid_namespace.st_ino},
    };
    for (const auto &[name, value] : numbers) {
      Status status = set_number(name, value);
      if (!status) return status;
    }
    for (Status status : {set_parameters(), set_kernel_facts(), set_dispatch_tables()}) {
      if (!status) return status;
    }
    return ok();
  }

 private:
  // Writes a variable of .rodata; objects need not have those that they never read.
  Status set_variable(const std::string &name, const void *value, size_t value_size) {
    const ObjectSymbol *symbol = file_.find_symbol(name, ".rodata");
    if (symbol == nullptr) return ok();
    if (symbol->size < value_size || symbol->offset > rodata_size_ ||
        rodata_size_ - symbol->offset < symbol->size) {
      return Error{"the object's constant " + name + " has a wrong size"};
    }
    memset(rodata_ + symbol->offset, 0, symbol->size);
    memcpy(rodata_ + symbol->offset, value, value_size);
    return ok();
  }

  Status set_number(const std::string &name, uint64_t value) {
    return set_variable(name, &value, sizeof value);
  }

  uint32_t find_trace_id(const std::string &section) const {
    const auto id = trace_ids_.find(section.substr(kRawBtfPrefix.size()));
    return id != trace_ids_.end() ? id->second : 0;
  }

  Status set_parameters() {
    for (size_t i = 0; i < inputs_.parameters.size(); ++i) {
      const ParameterValue &value = inputs_.parameters[i];
      const std::string name = object::kParameterPrefix + std::to_string(i);
      Status status = value.is_string ? set_variable(name, value.text.data(), value.text.size())
                                      : set_number(name, static_cast<uint64_t>(value.integer));
      if (!status) return status;
    }
    return ok();
  }

  Status set_kernel_facts() {
    for (const std::string &name : description_.kernel_symbols) {
      const std::optional<uint64_t> address = find_kernel_symbol(name);
      if (!address) {
        return Error{"the kernel has no symbol " + name + " that this process may see"};
      }
      Status status = set_number("awl_kaddr_" + name, *address);
      if (!status) return status;
    }
    for (const std::string &kfunc : description_.kfuncs) {
      Status status = set_kfunc(kfunc);
      if (!status) return status;
    }
    for (size_t i = 0; i < description_.cgroups.size(); ++i) {
      Result<uint64_t> id = cgroup_id(description_.cgroups[i]);
      if (!id) return id.error();
      Status status = set_number("awl_cgroup_" + std::to_string(i), *id);
      if (!status) return status;
    }
    return ok();
  }

  // Whether the kernel has a kfunc, and which of our programs may call it.
  Status set_kfunc(const std::string &name) {
    Result<Kfunc> kfunc = Kfunc::find(name);
    if (!kfunc) return kfunc.error();
    const std::string variable = "awl_kfunc_" + name;
    Status status = set_number(variable, kfunc->exists() ? 1 : 0);
    for (size_t i = 0; status && i < description_.programs.size(); ++i) {
      const std::string of_program = variable + "_" + description_.programs[i].name;
      if (file_.find_symbol(of_program, ".rodata") == nullptr || plan_.instances[i].empty())
        continue;
      const std::string &section = description_.programs[i].section;
      uint32_t btf_id = plan_.instances[i].front().targets.front().btf_id;
      if (section.starts_with(kRawBtfPrefix)) btf_id = find_trace_id(section);
      const bool is_allowed = kfunc->is_allowed(section, btf_id);
      status = set_number(of_program, is_allowed ? 1 : 0);
    }
    return status;
  }

  Status set_dispatch_tables() {
    std::map<std::string, std::vector<uint32_t>> tables;
    for (size_t i = 0; i < description_.programs.size(); ++i) {
      const object::Program &program = description_.programs[i];
      if (program.dispatch.empty() || plan_.instances[i].empty()) continue;
      const size_t columns = program.dispatch_columns;
      std::vector<uint32_t> &table = tables[program.dispatch];
      if (table.empty()) table.resize(object::kSyscallTableSize * columns);
      if (table.size() != object::kSyscallTableSize * columns) {
        return Error{"programs disagree on the table " + program.dispatch};
      }
      for (const Target &target : plan_.instances[i].front().targets) {
        const auto number = static_cast<size_t>(target.syscall);
        if (target.syscall < 0 || number >= object::kSyscallTableSize) continue;
        table[number * columns + program.dispatch_column] = target.probe_id + 1;
        if (program.dispatch_column > 0) table[number * columns] = 1;
      }
    }
    for (const auto &[name, table] : tables) {
      if (file_.find_symbol(name, ".rodata") == nullptr) {
        return Error{"the object has no table " + name};
      }
      Status status = set_variable(name, table.data(), table.size() * sizeof table[0]);
      if (!status) return status;
    }
    return ok();
  }

  const ObjectFile &file_;
  const object::Description &description_;
  const Plan &plan_;
  const LoadInputs &inputs_;
  const TraceIds &trace_ids_;
  uint8_t *rodata_;
  size_t rodata_size_;
};

}  // namespace

Status set_variables(const VariableSources &sources, uint8_t *rodata, size_t size) {
  return VariableWriter(sources, rodata, size).set_all();
}

}  // namespace awl::runtime
