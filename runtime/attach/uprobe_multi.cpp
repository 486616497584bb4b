#include "runtime/attach/uprobe_multi.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace awl::runtime {
namespace {

constexpr int kLinkCreate = 28;             // BPF_LINK_CREATE
constexpr uint32_t kUprobeMultiReturn = 1;  // BPF_F_UPROBE_MULTI_RETURN

struct LinkCreateUprobeMulti {
  uint32_t program;
  uint32_t target;
  uint32_t attach_type;
  uint32_t flags;
  // the member `uprobe_multi`
  uint64_t path;
  uint64_t offsets;
  uint64_t reference_counters;
  uint64_t cookies;
  uint32_t count;
  uint32_t multi_flags;
  uint32_t pid;
  uint32_t reserved;
};

uint64_t address_of(const std::vector<uint64_t> &values) {
  return values.empty() ? 0 : reinterpret_cast<uintptr_t>(values.data());
}

int create_link(int program, const UprobeMultiRequest &wanted) {
  LinkCreateUprobeMulti request{};
  request.program = static_cast<uint32_t>(program);
  request.attach_type = kUprobeMultiAttachType;
  request.path = reinterpret_cast<uintptr_t>(wanted.path.c_str());
  request.offsets = address_of(wanted.offsets);
  request.cookies = address_of(wanted.cookies);
  request.reference_counters = address_of(wanted.semaphores);
  request.count = static_cast<uint32_t>(wanted.offsets.size());
  request.multi_flags = wanted.is_return ? kUprobeMultiReturn : 0;
  request.pid = static_cast<uint32_t>(wanted.pid);
  return static_cast<int>(syscall(SYS_bpf, kLinkCreate, &request, sizeof request));
}

}  // namespace

Result<FileDescriptor> attach_uprobe_multi(int program, const UprobeMultiRequest &request) {
  FileDescriptor link(create_link(program, request));
  if (!link) return Error::from_errno("cannot attach uprobes in " + request.path);
  return link;
}

bool has_uprobe_multi() {
  const bpf_insn instructions[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options,
              .expected_attach_type = static_cast<bpf_attach_type>(kUprobeMultiAttachType));
  FileDescriptor program(
      bpf_prog_load(BPF_PROG_TYPE_KPROBE, "awl_probe", "GPL", instructions, 2, &options));
  if (!program) return false;
  UprobeMultiRequest request;
  request.path = "/";
  request.offsets = {0};
  // A kernel that does not know the attach type says EINVAL to everything; one that does finds that
  // the path is a folder.
  FileDescriptor known(create_link(program.get(), request));
  if (known || errno != EBADF) return false;
  // Kernels with the right filter refuse this process id before they look at the path; older
  // ones do not.
  request.pid = -1;
  FileDescriptor link(create_link(program.get(), request));
  return !link && errno == EINVAL;
}

}  // namespace awl::runtime
