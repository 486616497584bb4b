#include "runtime/kfunc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "runtime/btf_view.h"
#include "runtime/tracing_programs.h"

namespace awl::runtime {
namespace {

// BTF marks kfuncs with this tag since 6.10; before, any function passes for one.
constexpr std::string_view kKfuncTag = "bpf_kfunc";

}  // namespace

Result<Kfunc> Kfunc::find(const std::string &name) {
  Kfunc kfunc;
  Result<KernelBtf> kernel = KernelBtf::open();
  if (!kernel) return kfunc;
  const BtfView &types = kernel->view();
  std::vector<uint32_t> tagged;
  for (uint32_t id = 1; id < types.type_count(); ++id) {
    const btf_type *type = types.type(id);
    const uint32_t kind = BtfView::kind(type);
    const std::string_view text = types.string(type->name_off);
    if (kind == BTF_KIND_FUNC && text == name) kfunc.btf_id_ = id;
    if (kind == BTF_KIND_DECL_TAG && text == kKfuncTag) tagged.push_back(type->type);
  }
  const bool is_tagged = std::find(tagged.begin(), tagged.end(), kfunc.btf_id_) != tagged.end();
  if (!tagged.empty() && !is_tagged) kfunc.btf_id_ = 0;
  return kfunc;
}

bool Kfunc::is_allowed(const std::string &section, uint32_t btf_id) const {
  if (!exists()) return false;
  bpf_prog_type type = BPF_PROG_TYPE_UNSPEC;
  bpf_attach_type attach_type{};
  if (libbpf_prog_type_by_name(section.c_str(), &type, &attach_type) != 0) return false;
  if (TracingPrograms::is_section(section)) type = BPF_PROG_TYPE_TRACING;
  const bpf_insn instructions[] = {
      {BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, static_cast<int32_t>(btf_id_)},
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  char log[4096] = "";
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type, .log_level = 1,
              .log_size = sizeof log, .log_buf = log);
  options.attach_btf_id = btf_id;
  FileDescriptor program(bpf_prog_load(type, "awl_probe", "GPL", instructions,
                                       sizeof instructions / sizeof instructions[0], &options));
  if (program) return true;
  // One that may be called is refused for its arguments, which are not there.
  const std::string_view said = log;
  const auto says = [&](const char *text) { return said.find(text) != std::string_view::npos; };
  return !said.empty() && !says("is not allowed") && !says("reserved field");
}

}  // namespace awl::runtime
