// Which of the kernel's features the families of a script make use of, and whether it has them.
#pragma once

#include <string>
#include <vector>

#include "runtime/attach/family.h"
#include "runtime/object/description.h"

namespace awl::runtime {

inline bool is_uprobe_family(const std::string &family) {
  return family == "uprobe" || family == "uretprobe" || family == "usdt";
}

inline bool is_kprobe_family(const std::string &family) {
  return family == "kprobe" || family == "kretprobe";
}

// Whether a program was compiled to run at entries too, where it is attached as a session.
bool may_be_session(const object::Program &program);

// Asks the kernel for what is needed, and fills in the features of the context. `disabled` are
// left unused (--no-feature), as on a kernel without them.
void find_used_features(const object::Description &description,
                        const std::vector<std::string> &disabled, AttachContext &context);

}  // namespace awl::runtime
