#include "runtime/attach/tc_filter.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "runtime/attach/guard.h"

namespace awl::runtime {
namespace {

// One that is to be removed, as it is told to the guard.
struct Filter {
  int interface;
  bpf_tc_attach_point side;
  uint32_t handle, priority;
  bool made_discipline;  // and how it is to leave the interface
};

// Filters of another kind may stand at a priority: then the next is tried. Of those at one priority
// the kernel runs the one first that came last (cls_bpf_change), so that each gets its own.
constexpr uint32_t kFirstPriority = 1, kMaxTries = 16;

bpf_tc_hook hook_of(const Filter &filter) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = filter.interface;
  hook.attach_point = filter.side;
  return hook;
}

// Whether a side of an interface has any filters: RTM_GETTFILTER, rtnetlink(7). True when that
// cannot be found out.
bool has_filters(int interface, uint32_t parent) {
  FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct {
    nlmsghdr header;
    tcmsg message;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETTFILTER;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.message.tcm_family = AF_UNSPEC;
  request.message.tcm_ifindex = interface;
  request.message.tcm_parent = parent;
  if (!socket || send(socket.get(), &request, sizeof request, 0) < 0) return true;
  std::vector<char> answer(64u << 10);
  for (;;) {
    ssize_t size = recv(socket.get(), answer.data(), answer.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return true;
    auto length = static_cast<uint32_t>(size);
    for (auto *header = reinterpret_cast<nlmsghdr *>(answer.data()); NLMSG_OK(header, length);
         header = NLMSG_NEXT(header, length)) {
      if (header->nlmsg_type == NLMSG_DONE) return false;
      if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == RTM_NEWTFILTER) return true;
    }
  }
}

void remove_filter(const Filter &filter) {
  bpf_tc_hook hook = hook_of(filter);
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.handle = filter.handle;
  options.priority = filter.priority;
  bpf_tc_detach(&hook, &options);
}

void remove_discipline(const Filter &filter) {
  const bool is_used = has_filters(filter.interface, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) ||
                       has_filters(filter.interface, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
  if (is_used) return;
  bpf_tc_hook hook = hook_of(filter);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  bpf_tc_hook_destroy(&hook);
}

int be_silent(libbpf_print_level, const char *, va_list) { return 0; }

[[noreturn]] void guard(int pipe) {
  become_guard(pipe);
  libbpf_set_print(be_silent);
  std::vector<Filter> filters;
  Filter filter;
  for (;;) {
    const ssize_t size = read(pipe, &filter, sizeof filter);
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof filter) break;
    filters.push_back(filter);
  }
  for (const Filter &one : filters) {
    if (one.handle != 0) remove_filter(one);
  }
  for (const Filter &one : filters) {
    if (one.made_discipline) remove_discipline(one);
  }
  _exit(0);
}

}  // namespace

Status TcFilters::start_guard() {
  if (guard_pipe_) return ok();
  int ends[2];
  // Pipe writes of a few bytes are whole (pipe(7)).
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno("cannot make a pipe");
  FileDescriptor read_end(ends[0]), write_end(ends[1]);
  const pid_t child = fork();
  if (child < 0) return Error::from_errno("cannot start a process");
  if (child == 0) guard(read_end.get());
  guard_ = child;
  guard_pipe_ = std::move(write_end);
  return ok();
}

Status TcFilters::add(int program, int interface, bool is_ingress) {
  Status started = start_guard();
  if (!started) return started;
  Filter filter{interface, is_ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS, 0, 0, false};
  bpf_tc_hook hook = hook_of(filter);
  const int made = bpf_tc_hook_create(&hook);
  if (made != 0 && made != -EEXIST) {
    return Error::from_errno("cannot add the queueing discipline clsact", -made);
  }
  filter.made_discipline = made == 0;
  // Unique among tracers, and among the filters of this one.
  filter.handle = (static_cast<uint32_t>(getpid()) << 10) + ++count_;
  uint32_t &next =
      next_priority_.try_emplace({interface, is_ingress}, kFirstPriority).first->second;
  int code = 0;
  for (uint32_t tries = 0; tries < kMaxTries; ++tries) {
    filter.priority = next++;
    if (write(guard_pipe_.get(), &filter, sizeof filter) != sizeof filter) {
      return Error::from_errno("cannot note the filter");
    }
    filter.made_discipline = false;  // once told is enough
    bpf_tc_opts options{};
    options.sz = sizeof options;
    options.prog_fd = program;
    options.handle = filter.handle;
    options.priority = filter.priority;
    code = -bpf_tc_attach(&hook, &options);
    if (code != EINVAL) break;
  }
  if (code != 0) return Error::from_errno("the kernel refuses the filter", code);
  return ok();
}

void TcFilters::remove() {
  guard_pipe_.reset();
  if (guard_ > 0) waitpid(guard_, nullptr, 0);
  guard_ = -1;
}

}  // namespace awl::runtime
