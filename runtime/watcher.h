// Watchpoints whose address comes while the script runs: see codegen/lower_watch.cpp for the other
// half.
//
// A process that was stopped until its address is watched must go on however the tracer ends. A
// process beside the tracer sees to that: it waits for the tracer to close the pipe between them,
// which the kernel does even after SIGKILL, and then continues what may be stopped, for a second,
// since the programs that stop it may outlive the tracer by some moments.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/file.h"
#include "runtime/consumer.h"
#include "runtime/loader.h"
#include "runtime/plan.h"

namespace awl::runtime {

class Watcher {
 public:
  Watcher(const object::Description &description, const AttachContext &context, const Plan &plan,
          const LoadedObject &loaded, Attachments &attachments)
      : description_(description),
        context_(context),
        plan_(plan),
        loaded_(loaded),
        attachments_(attachments) {}

  // Whether a program may stop the process.
  bool may_stop() const;
  // Starts the guard when a program may stop the process. Before anything is attached.
  Status start();
  // Watches the address, and lets the process go on. An error says why it is not watched.
  Status watch(const WatchRequest &request);
  // Lets the process go on for good; nothing is watched from here on. After everything is detached,
  // so that no program stops it again, and before anything slow, and also when requests to watch
  // are thrown away.
  void let_go();
  // Lets go of the watchpoints at an address, and forgets that it was told.
  void unwatch(uint64_t address);

 private:
  Status attach(const WatchRequest &request);

  const object::Description &description_;
  const AttachContext &context_;
  const Plan &plan_;
  const LoadedObject &loaded_;
  Attachments &attachments_;
  FileDescriptor guard_pipe_;
  pid_t guard_ = -1;
};

}  // namespace awl::runtime
