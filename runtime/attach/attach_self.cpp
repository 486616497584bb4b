// begin, end and self: programs that the runtime runs itself, when it starts, ends, or gets a
// signal. Nothing is attached in the kernel.
#include "runtime/attach/families.h"
#include "runtime/signals.h"

namespace awl::runtime {

AWL_EXPANDS(expand_plain) {
  (void)context;
  Expansion expansion;
  expansion.targets.push_back(plain_target(point));
  return expansion;
}

AWL_EXPANDS(expand_self) {
  (void)context;
  Expansion expansion;
  if (signal_number(point.target) == 0) {
    expansion.missing =
        "No matches for self:signal:" + point.target + "; signals are SIGUSR1 and SIGUSR2";
    return expansion;
  }
  Target target = plain_target(point);
  target.event = point.target;
  expansion.targets.push_back(std::move(target));
  return expansion;
}

}  // namespace awl::runtime
