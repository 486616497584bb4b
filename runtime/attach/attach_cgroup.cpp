// cgroup_skb, sock_ops, cgroup_sock_addr: programs for the sockets of a cgroup's processes, and of
// the cgroups below it. Links (5.7), which let other programs stand beside them.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/cgroup.h"
#include "base/folder.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"

namespace awl::runtime {
namespace {

struct Hook {
  const char *family, *hook;
  int attach_type;  // enum bpf_attach_type in include/uapi/linux/bpf.h
};
constexpr Hook kHooks[] = {
    {"cgroup_skb", "ingress", 0},
    {"cgroup_skb", "egress", 1},
    {"sock_ops", "", 3},
    {"cgroup_sock_addr", "bind4", 8},
    {"cgroup_sock_addr", "bind6", 9},
    {"cgroup_sock_addr", "connect4", 10},
    {"cgroup_sock_addr", "connect6", 11},
    {"cgroup_sock_addr", "sendmsg4", 14},
    {"cgroup_sock_addr", "sendmsg6", 15},
    {"cgroup_sock_addr", "recvmsg4", 19},
    {"cgroup_sock_addr", "recvmsg6", 20},
    {"cgroup_sock_addr", "getpeername4", 29},
    {"cgroup_sock_addr", "getpeername6", 30},
    {"cgroup_sock_addr", "getsockname4", 31},
    {"cgroup_sock_addr", "getsockname6", 32},
};

// -1: an object that was not made by awl.
int attach_type_of(const object::AttachPoint &point) {
  for (const Hook &hook : kHooks) {
    // The operations of sock_ops are told apart by the program.
    if (point.family == hook.family &&
        (point.family == "sock_ops" || point.category == hook.hook)) {
      return hook.attach_type;
    }
  }
  return -1;
}

// The cgroups beside the one that was asked for.
std::string missing_cgroup(const object::AttachPoint &point, const Error &error) {
  const std::string text = "No cgroup for " + point.name + ": " + error.message;
  std::string path = point.target;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  if (Result<std::string> mount = cgroup2_mount(); mount && !path.starts_with('/')) {
    parent = *mount + "/" + parent;
  }
  const std::vector<std::string> names = folders_in_folder(parent.empty() ? "/" : parent);
  const std::string nearest = nearest_name(name, names);
  return nearest.empty() ? text : text + "; did you mean '" + nearest + "'?";
}

}  // namespace

AWL_EXPANDS(expand_cgroup) {
  (void)context;
  Expansion expansion;
  Result<std::string> path = cgroup_path(point.target);
  if (!path) {
    expansion.missing = missing_cgroup(point, path.error());
    return expansion;
  }
  Target target = plain_target(point);
  target.path = std::move(*path);
  expansion.targets.push_back(std::move(target));
  return expansion;
}

AWL_ATTACHES(attach_cgroup) {
  (void)context;
  for (const Target &target : targets) {
    const int type = attach_type_of(*target.point);
    FileDescriptor folder(open(target.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || type < 0) {
      failures.push_back({&target, folder ? Error{"it is no hook of cgroups"}
                                          : Error::from_errno("cannot open " + target.path)});
      continue;
    }
    FileDescriptor link(
        bpf_link_create(program, folder.get(), static_cast<bpf_attach_type>(type), nullptr));
    if (link) {
      attachments.add_link(std::move(link));
    } else {
      failures.push_back({&target, Error::from_errno("the kernel refuses it")});
    }
  }
}

}  // namespace awl::runtime
