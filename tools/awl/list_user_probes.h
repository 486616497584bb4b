// awl -l for what can be probed in user binaries.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "frontend/target/target.h"

namespace awl::tools {

// One probe: its name, and a function that gives its arguments as C writes them ("const char*",
// "text"), which may have to read debug information.
using PrintUserProbe = std::function<void(
    const std::string &name,
    const std::function<std::vector<std::pair<std::string, std::string>>()> &arguments)>;

// Lists "uprobe:BINARY:FUNCTION", "uretprobe:…" or "usdt:BINARY:[PROVIDER:]NAME"; `pattern` has
// the family's full name in front. With a process, "*" for the binary means all that it runs code
// from; `root` is what its paths begin with for us. Errors: the binary cannot be found or read.
Status list_user_probes(frontend::Target &target, const std::string &pattern,
                        std::optional<int> pid, const PrintUserProbe &print);

}  // namespace awl::tools
