// xdp and tc: programs on network interfaces.
//
// Both are links where the kernel has them: for xdp since 5.9, for tc since 6.6 (tcx). Before, a
// program of tc is a filter of the queueing discipline clsact; see tc_filter.h.
#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/pattern.h"
#include "runtime/attach/families.h"
#include "runtime/attach/nearest.h"

namespace awl::runtime {
namespace {

// Newer than the oldest headers awl builds with (include/uapi/linux/bpf.h).
constexpr int kTcxIngress = 46, kTcxEgress = 47;
// include/uapi/linux/if_arp.h, which does not go together with net/if.h.
constexpr unsigned kIp6Gre = 823;

struct Interface {
  std::string name;
  int index = 0;
};

Result<std::vector<Interface>> all_interfaces() {
  struct if_nameindex *list = if_nameindex();
  if (list == nullptr) return Error::from_errno("cannot list the network interfaces");
  std::vector<Interface> interfaces;
  for (const struct if_nameindex *one = list; one->if_index != 0; ++one) {
    interfaces.push_back({one->if_name, static_cast<int>(one->if_index)});
  }
  if_freenameindex(list);
  return interfaces;
}

// How many bytes come before the network layer in the interface's packets.
int32_t link_header_of(const std::string &name) {
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (!socket || ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) return object::kEthernetHeader;
  switch (request.ifr_hwaddr.sa_family) {
    case ARPHRD_NONE:
    case ARPHRD_RAWIP:
    case ARPHRD_PPP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case kIp6Gre:
      return 0;
    default:
      return object::kEthernetHeader;
  }
}

std::string missing_interface(const object::AttachPoint &point,
                              const std::vector<Interface> &interfaces) {
  constexpr size_t kMaxListed = 10;
  std::string text = "No network interface matches " + point.name;
  std::vector<std::string> names;
  for (const Interface &interface : interfaces) names.push_back(interface.name);
  if (has_wildcard(point.target)) return text;
  const std::string nearest = nearest_name(point.target, names);
  if (!nearest.empty()) return text + "; did you mean '" + nearest + "'?";
  text += "; there are";
  for (size_t i = 0; i < std::min(names.size(), kMaxListed); ++i) {
    text += (i == 0 ? " " : ", ") + names[i];
  }
  return text + (names.size() > kMaxListed ? ", …" : "");
}

FileDescriptor create_link(int program, int target, int attach_type, uint32_t flags) {
  bpf_attr attributes{};
  attributes.link_create.prog_fd = static_cast<uint32_t>(program);
  attributes.link_create.target_fd = static_cast<uint32_t>(target);
  attributes.link_create.attach_type = static_cast<uint32_t>(attach_type);
  attributes.link_create.flags = flags;
  return FileDescriptor(
      static_cast<int>(syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes)));
}

Error explain_xdp(int code) {
  if (code == EBUSY || code == EEXIST) {
    return Error{"another XDP program is attached there, and the kernel takes one", code};
  }
  return Error::from_errno("the kernel refuses it", code);
}

}  // namespace

AWL_EXPANDS(expand_interface) {
  (void)context;
  Expansion expansion;
  Result<std::vector<Interface>> interfaces = all_interfaces();
  if (!interfaces) return interfaces.error();
  for (const Interface &interface : *interfaces) {
    if (!matches_pattern(point.target, interface.name)) continue;
    Target target = plain_target(point);
    target.name =
        point.family + ":" + interface.name + (point.category.empty() ? "" : ":" + point.category);
    target.interface = interface.index;
    target.link_header = link_header_of(interface.name);
    expansion.targets.push_back(std::move(target));
  }
  if (expansion.targets.empty()) expansion.missing = missing_interface(point, *interfaces);
  return expansion;
}

AWL_ATTACHES(attach_xdp) {
  (void)context;
  for (const Target &target : targets) {
    FileDescriptor link = create_link(program, target.interface, BPF_XDP, 0);
    int code = link ? 0 : errno;
    if (!link && code != EBUSY && code != EEXIST) {
      // Drivers refuse some programs and sizes of packets; the kernel can run it itself.
      link = create_link(program, target.interface, BPF_XDP, XDP_FLAGS_SKB_MODE);
      if (!link) code = errno;
    }
    if (link) {
      attachments.add_link(std::move(link));
    } else {
      failures.push_back({&target, explain_xdp(code)});
    }
  }
}

AWL_ATTACHES(attach_tc) {
  (void)context;
  for (const Target &target : targets) {
    const bool is_ingress = target.point->category == "ingress";
    FileDescriptor link =
        create_link(program, target.interface, is_ingress ? kTcxIngress : kTcxEgress, 0);
    if (link) {
      attachments.add_link(std::move(link));
      continue;
    }
    Status status = errno == EINVAL ? attachments.add_filter(program, target.interface, is_ingress)
                                    : Status(Error::from_errno("the kernel refuses it"));
    if (!status) failures.push_back({&target, status.error()});
  }
}

}  // namespace awl::runtime
