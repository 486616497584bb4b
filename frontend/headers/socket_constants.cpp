#include "frontend/headers/socket_constants.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace awl::frontend {
namespace {

constexpr std::pair<std::string_view, int64_t> kFamilies[] = {
    {"AF_UNSPEC", 0}, {"AF_UNIX", 1},     {"AF_LOCAL", 1},   {"AF_INET", 2},
    {"AF_INET6", 10}, {"AF_NETLINK", 16}, {"AF_PACKET", 17}, {"AF_VSOCK", 40},
};

// What scripts include for sockets; the kernel's lead to its linux/socket.h.
constexpr std::string_view kHeaders[] = {
    "sys/socket.h", "linux/socket.h", "linux/net.h", "linux/tcp.h",     "linux/in.h",
    "linux/in6.h",  "net/sock.h",     "net/tcp.h",   "net/inet_sock.h", "linux/skbuff.h",
};

}  // namespace

std::optional<int64_t> address_family(std::string_view name) {
  const auto found = std::find_if(std::begin(kFamilies), std::end(kFamilies),
                                  [&](const auto &family) { return family.first == name; });
  return found == std::end(kFamilies) ? std::nullopt : std::optional(found->second);
}

bool defines_address_families(std::string_view header) {
  return std::find(std::begin(kHeaders), std::end(kHeaders), header) != std::end(kHeaders);
}

}  // namespace awl::frontend
