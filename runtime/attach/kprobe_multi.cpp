#include "runtime/attach/kprobe_multi.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace awl::runtime {
namespace {

constexpr int kLinkCreate = 28;             // BPF_LINK_CREATE
constexpr uint32_t kKprobeMultiReturn = 1;  // BPF_F_KPROBE_MULTI_RETURN

struct LinkCreateKprobeMulti {
  uint32_t program;
  uint32_t target;
  uint32_t attach_type;
  uint32_t flags;
  // the member `kprobe_multi`
  uint32_t multi_flags;
  uint32_t count;
  uint64_t symbols;
  uint64_t addresses;
  uint64_t cookies;
};

int create_link(int program, const KprobeMultiRequest &request) {
  LinkCreateKprobeMulti attributes{};
  attributes.program = static_cast<uint32_t>(program);
  attributes.attach_type = kKprobeMultiAttachType;
  attributes.multi_flags = request.is_return ? kKprobeMultiReturn : 0;
  attributes.count =
      static_cast<uint32_t>(std::max(request.functions.size(), request.addresses.size()));
  if (request.addresses.empty()) {
    attributes.symbols = reinterpret_cast<uintptr_t>(request.functions.data());
  } else {
    attributes.addresses = reinterpret_cast<uintptr_t>(request.addresses.data());
  }
  attributes.cookies =
      request.cookies.empty() ? 0 : reinterpret_cast<uintptr_t>(request.cookies.data());
  return static_cast<int>(syscall(SYS_bpf, kLinkCreate, &attributes, sizeof attributes));
}

}  // namespace

Result<FileDescriptor> attach_kprobe_multi(int program, const KprobeMultiRequest &request) {
  FileDescriptor link(create_link(program, request));
  if (!link) return Error::from_errno("cannot attach kprobes");
  return link;
}

bool has_kprobe_multi(int attach_type) {
  const bpf_insn instructions[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options,
              .expected_attach_type = static_cast<bpf_attach_type>(attach_type));
  FileDescriptor program(
      bpf_prog_load(BPF_PROG_TYPE_KPROBE, "awl_probe", "GPL", instructions, 2, &options));
  if (!program) return false;
  // A kernel that has it cannot read the address where there is nothing; one that does not know the
  // attach type says EINVAL to everything, and one that was built without it EOPNOTSUPP
  // (kernel/trace/bpf_trace.c, bpf_kprobe_multi_link_attach).
  LinkCreateKprobeMulti attributes{};
  attributes.program = static_cast<uint32_t>(program.get());
  attributes.attach_type = static_cast<uint32_t>(attach_type);
  attributes.count = 1;
  attributes.addresses = 1;
  FileDescriptor link(
      static_cast<int>(syscall(SYS_bpf, kLinkCreate, &attributes, sizeof attributes)));
  return !link && errno == EFAULT;
}

}  // namespace awl::runtime
