#include "runtime/tracing_programs.h"

#include <bpf/libbpf.h>

#include <cerrno>

namespace awl::runtime {
namespace {

struct Section {
  const char *name;
  bpf_attach_type attach_type;
};
constexpr Section kSections[] = {
    {"tp_btf", BPF_TRACE_RAW_TP},
    {"fentry", BPF_TRACE_FENTRY},
    {"fexit", BPF_TRACE_FEXIT},
};

void tie(const TracingTarget &target, bpf_prog_load_opts *options) {
  options->attach_btf_id = target.btf_id;
  // The kernel reads both from one place (union in bpf_attr); libbpf passes the program's first.
  options->attach_prog_fd = target.program >= 0 ? static_cast<uint32_t>(target.program) : 0;
  options->attach_btf_obj_fd =
      target.program < 0 && target.module_btf >= 0 ? static_cast<uint32_t>(target.module_btf) : 0;
}

}  // namespace

TracingPrograms::TracingPrograms() {
  for (const Section &section : kSections) {
    LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = reinterpret_cast<long>(this),
                .prog_prepare_load_fn = prepare);
    const int handler =
        libbpf_register_prog_handler((std::string(section.name) + "+").c_str(),
                                     BPF_PROG_TYPE_RAW_TRACEPOINT, section.attach_type, &options);
    if (handler > 0) handlers_.push_back(handler);
  }
}

TracingPrograms::~TracingPrograms() {
  for (const int handler : handlers_) libbpf_unregister_prog_handler(handler);
}

bool TracingPrograms::is_section(const std::string &section) {
  const std::string head = section.substr(0, section.find('/'));
  for (const Section &known : kSections) {
    if (head == known.name) return true;
  }
  return false;
}

int TracingPrograms::prepare(bpf_program *program, bpf_prog_load_opts *options, long cookie) {
  auto &self = *reinterpret_cast<TracingPrograms *>(cookie);
  const std::string name = bpf_program__name(program);
  const auto target = self.targets_.find(name);
  if (target == self.targets_.end()) return -ESRCH;
  tie(target->second, options);
  self.loaded_[name] = *options;
  return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

Result<FileDescriptor> TracingPrograms::load_copy(bpf_program *program, const TracingTarget &target,
                                                  const std::string &license, char *log,
                                                  size_t log_size) const {
  const char *name = bpf_program__name(program);
  const auto loaded = loaded_.find(name);
  if (loaded == loaded_.end()) return Error{std::string(name) + " was not loaded"};
  bpf_prog_load_opts options = loaded->second;
  tie(target, &options);
  options.expected_attach_type = bpf_program__expected_attach_type(program);
  options.fd_array = nullptr;
  options.log_level = 0;  // the buffer is used when the program is refused
  options.log_buf = log;
  options.log_size = static_cast<uint32_t>(log_size);
  FileDescriptor copy(bpf_prog_load(BPF_PROG_TYPE_TRACING, name, license.c_str(),
                                    bpf_program__insns(program), bpf_program__insn_cnt(program),
                                    &options));
  if (!copy) return Error::from_errno("cannot load the program");
  return copy;
}

}  // namespace awl::runtime
