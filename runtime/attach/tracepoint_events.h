// Perf events of tracepoints: what a program of the family `tracepoint` is attached to.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "runtime/object/description.h"

namespace awl::runtime {

struct TracepointName {
  std::string category, event;
  auto operator<=>(const TracepointName &) const = default;
};

// Opens one, stopped.
Result<FileDescriptor> open_tracepoint_event(const TracepointName &name);

// What the programs of an object are certain to be attached to, each as often as that.
std::vector<TracepointName> tracepoints_of(const object::Description &description);

// Events that are opened before there are programs. The kernel takes 0.1 to 0.5 ms for each, and
// most of that is waiting for other CPUs to see changed code.
class TracepointEvents {
 public:
  // Of each; those that the kernel refuses are left to whoever attaches, and tells why.
  static TracepointEvents open(const std::vector<TracepointName> &names);

  // What nobody took is left to a process of its own, as Attachments does.
  ~TracepointEvents();
  TracepointEvents() = default;
  TracepointEvents(TracepointEvents &&) = default;
  TracepointEvents &operator=(TracepointEvents &&) = default;

  // Gives one away; none: there is none (left) of this tracepoint.
  FileDescriptor take(const TracepointName &name);

 private:
  std::multimap<TracepointName, FileDescriptor> events_;
};

}  // namespace awl::runtime
