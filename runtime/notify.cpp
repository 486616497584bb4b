#include "runtime/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/file.h"

namespace awl::runtime {

void notify_ready() {
  const char *path = getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  const size_t length = path != nullptr ? strlen(path) : 0;
  if (length == 0 || length >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // the abstract namespace
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  constexpr char kReady[] = "READY=1";
  const auto address_size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  sendto(socket.get(), kReady, sizeof kReady - 1, MSG_NOSIGNAL,
         reinterpret_cast<sockaddr *>(&address), address_size);
}

}  // namespace awl::runtime
