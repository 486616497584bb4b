// Waits for what happens while a script runs: records, signals, the end of a process.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "runtime/child.h"
#include "runtime/consumer.h"
#include "runtime/signals.h"

namespace awl::runtime {

struct LoopInputs {
  Consumer *consumer = nullptr;
  Output *output = nullptr;
  Signals *signals = nullptr;
  const Child *child = nullptr;  // or null: nothing ends with it
  int process = -1;              // pidfd of the process of -p; -1: none
  std::vector<int> ring_maps;    // descriptors of the rings
  // Called for a signal that a `self` probe waits for.
  std::function<void(int signal)> on_signal;
};

// Runs until exit() was called, INT, TERM or HUP has come, the process or command that the run
// hangs on has ended, or the output cannot be written any more.
Status run_event_loop(const LoopInputs &inputs);

}  // namespace awl::runtime
