// --test and --bench: runs the programs of `test` and `bench` probes one after another and tells what
// came of it, as text or JSON.
#pragma once

#include <string>
#include <vector>

#include "runtime/consumer.h"
#include "runtime/print/output.h"

namespace awl::runtime {

struct NamedProgram {
  int program = -1;
  std::string name;  // without the family
};

// A test passes when its program returns 0, nothing has failed in it, and it has called neither
// errorf() nor exit() with a code. The output of those that fail is shown; `output` is for text.
// Gives the exit code.
int run_tests(const std::vector<NamedProgram> &tests, bool is_json, Consumer &consumer,
              Output &output);

// Runs each often, and prints the time that the kernel says a run takes. What they print is dropped.
Result<int> run_benchmarks(const std::vector<NamedProgram> &benchmarks, bool is_json,
                           Consumer &consumer, Output &output);

}  // namespace awl::runtime
