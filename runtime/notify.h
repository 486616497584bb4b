// sd_notify(3)'s READY=1, so that a service manager knows when everything is attached.
#pragma once

namespace awl::runtime {

// Tells $NOTIFY_SOCKET that we are ready; does nothing where there is none.
void notify_ready();

}  // namespace awl::runtime
