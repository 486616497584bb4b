// Programs on places in files: what uprobe, uretprobe and usdt have in common.
//
// Several places in a file are one link where the kernel has those (uprobe_multi.h), else there is
// a perf event for each. Semaphores of static probes are the kernel's to raise and lower
// ("reference counters", 4.20): for every process that maps the file, or the one of -p or -c, from
// now on and until the program is gone, even if the tracer is killed.
#pragma once

#include <vector>

#include "runtime/attach/family.h"

namespace awl::runtime {

void attach_uprobes(const AttachContext &context, int program, const std::vector<Target> &targets,
                    bool is_return, Attachments &attachments, std::vector<AttachFailure> &failures);

}  // namespace awl::runtime
