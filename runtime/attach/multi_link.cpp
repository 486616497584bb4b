// bpf(2)'s structures stand here, as the installed headers may be older
// (include/uapi/linux/bpf.h).
#include "runtime/attach/multi_link.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace awl::runtime {
namespace {

constexpr int kLinkCreate = 28;       // BPF_LINK_CREATE
constexpr uint32_t kMultiReturn = 1;  // BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN

// The members `kprobe_multi` and `uprobe_multi`.
struct KprobePart {
  uint32_t flags;
  uint32_t count;
  uint64_t symbols;
  uint64_t addresses;
  uint64_t cookies;
};
struct UprobePart {
  uint64_t path;
  uint64_t offsets;
  uint64_t reference_counters;
  uint64_t cookies;
  uint32_t count;
  uint32_t flags;
  uint32_t pid;
  uint32_t reserved;
};

template <class Part>
struct LinkCreate {
  uint32_t program;
  uint32_t target;
  uint32_t attach_type;
  uint32_t flags;
  Part part;
};

template <class Part>
FileDescriptor create_link(int program, MultiLink kind, const Part &part) {
  LinkCreate<Part> attributes{};
  attributes.program = static_cast<uint32_t>(program);
  attributes.attach_type = static_cast<uint32_t>(kind);
  attributes.part = part;
  return FileDescriptor(
      static_cast<int>(syscall(SYS_bpf, kLinkCreate, &attributes, sizeof attributes)));
}

template <class T>
uint64_t address_of(const std::vector<T> &values) {
  return values.empty() ? 0 : reinterpret_cast<uintptr_t>(values.data());
}

KprobePart part_of(const KprobeMultiRequest &request) {
  KprobePart part{};
  part.flags = request.is_return ? kMultiReturn : 0;
  part.count = static_cast<uint32_t>(std::max(request.functions.size(), request.addresses.size()));
  part.symbols = address_of(request.functions);
  part.addresses = address_of(request.addresses);
  part.cookies = address_of(request.cookies);
  return part;
}

UprobePart part_of(const UprobeMultiRequest &request) {
  UprobePart part{};
  part.path = reinterpret_cast<uintptr_t>(request.path.c_str());
  part.offsets = address_of(request.offsets);
  part.reference_counters = address_of(request.semaphores);
  part.cookies = address_of(request.cookies);
  part.count = static_cast<uint32_t>(request.offsets.size());
  part.flags = request.is_return ? kMultiReturn : 0;
  part.pid = static_cast<uint32_t>(request.pid);
  return part;
}

FileDescriptor load_empty_program(MultiLink kind) {
  const bpf_insn instructions[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options,
              .expected_attach_type = static_cast<bpf_attach_type>(kind));
  return FileDescriptor(
      bpf_prog_load(BPF_PROG_TYPE_KPROBE, "awl_probe", "GPL", instructions, 2, &options));
}

// A kernel that has it cannot read the address where there is nothing; one that does not know the
// attach type says EINVAL to everything, and one that was built without it EOPNOTSUPP
// (kernel/trace/bpf_trace.c, bpf_kprobe_multi_link_attach).
bool takes_kernel_functions(int program, MultiLink kind) {
  KprobePart part{};
  part.count = 1;
  part.addresses = 1;
  return !create_link(program, kind, part) && errno == EFAULT;
}

// A kernel that does not know the attach type says EINVAL to everything; one that does finds that
// the path is a folder. Kernels with the right filter refuse the process id -1 before they look at
// the path; older ones do not.
bool takes_user_functions(int program, MultiLink kind) {
  UprobeMultiRequest request;
  request.path = "/";
  request.offsets = {0};
  if (create_link(program, kind, part_of(request)) || errno != EBADF) return false;
  request.pid = -1;
  return !create_link(program, kind, part_of(request)) && errno == EINVAL;
}

}  // namespace

Result<FileDescriptor> attach_multi(int program, MultiLink kind,
                                    const KprobeMultiRequest &request) {
  FileDescriptor link = create_link(program, kind, part_of(request));
  if (!link) return Error::from_errno("cannot attach kprobes");
  return link;
}

Result<FileDescriptor> attach_multi(int program, MultiLink kind,
                                    const UprobeMultiRequest &request) {
  FileDescriptor link = create_link(program, kind, part_of(request));
  if (!link) return Error::from_errno("cannot attach uprobes in " + request.path);
  return link;
}

bool has_multi_link(MultiLink kind) {
  const FileDescriptor program = load_empty_program(kind);
  if (!program) return false;
  const bool is_of_kernel = kind == MultiLink::kKprobe || kind == MultiLink::kKprobeSession;
  return is_of_kernel ? takes_kernel_functions(program.get(), kind)
                      : takes_user_functions(program.get(), kind);
}

}  // namespace awl::runtime
