// Takes records out of the rings and does what they say: prints, reads maps, ends the run.
//
// There are two rings, so that a flood of output cannot drop what controls the run. A control
// record carries the position that the output ring had when it was written; it is handled after
// all output records that start before that, so the order of one CPU's records is kept. To see
// no output record before a control record that precedes it, the end of the output ring is read
// before that of the control ring.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "runtime/loader.h"
#include "runtime/object/description.h"
#include "runtime/plan.h"
#include "runtime/print/map_printer.h"
#include "runtime/print/map_reader.h"
#include "runtime/print/output.h"
#include "runtime/print/record_printer.h"
#include "runtime/ring_reader.h"
#include "runtime/tracer.h"
#include "runtime/unwind/unwind_tables.h"

namespace awl::runtime {

// An address that is to be watched, found by a program in front of the watchpoint's.
struct WatchRequest {
  uint32_t program = 0;  // index of that in front
  uint64_t address = 0;
  int pid = 0;
  bool is_stopped = false;  // the process waits to be continued
};

class Consumer {
 public:
  // All arguments must outlive it.
  static Result<std::unique_ptr<Consumer>> create(const object::Description &description,
                                                  const LoadedObject &loaded, const Plan &plan,
                                                  const RunOptions &options, Output &output);

  // Handles what the rings hold by now; returns the bytes that were read. Stops at the record of
  // exit(), and at one that a program has not finished writing.
  size_t drain();
  // The same when no program can add any more: waits for unfinished records.
  void drain_completely();
  // Drops output that was written after exit() was called, so that a script which ends itself
  // prints the same each time.
  void drop_output();

  // What is called when a program has found an address to watch.
  void set_on_watch(std::function<void(const WatchRequest &)> on_watch) {
    on_watch_ = std::move(on_watch);
  }
  // What unwatch() calls, with the address.
  void set_on_unwatch(std::function<void(uint64_t)> on_unwatch) {
    on_unwatch_ = std::move(on_unwatch);
  }

  bool has_exited() const { return has_exited_; }
  int exit_code() const { return exit_code_; }
  // What follows is handled as if exit() had not been called.
  void forget_exit() {
    has_exited_ = false;
    exit_code_ = 0;
  }
  // Of all that is reported without being asked for, so far.
  uint64_t error_count() const;
  // Whether exit() has been called by a program that was run just now; handles nothing.
  bool has_pending_exit();

  const RingReader &output_ring() const { return output_ring_; }
  // See RingReader.
  void rest();
  void catch_up();

  // Takes note of a process whose stacks and symbols may be printed after its end.
  // Its stacks can be unwound from now on, if the script does that.
  void remember_process(pid_t pid);
  // The same for all there are, once, in a run whose processes may be any.
  void remember_processes();
  std::vector<int> process_event_descriptors() const {
    return symbols_.process_event_descriptors();
  }
  void read_process_events() { symbols_.read_process_events(); }
  bool unwinds_stacks() const { return unwind_.is_used(); }

  // Tells how many records were lost since the last time; at the end, how many in all, and how
  // often the kernel did not run a program.
  void report_lost();
  void report_total_lost();
  // At the end: all maps, and how often something failed that has not been told yet.
  void print_maps();
  void report_errors(bool with_reads);

 private:
  Consumer(const object::Description &description, const LoadedObject &loaded, const Plan &plan,
           const RunOptions &options, Output &output);
  Status open_rings();
  void follow_processes(const RunOptions &options);
  // Output records that start before `limit`; false: one of them is not finished.
  bool drain_output(uint64_t limit);
  void handle_control(const Record &record);
  void print_map(uint32_t index, uint64_t top, uint64_t div);
  std::vector<uint64_t> read_counters(const char *map, size_t count) const;

  const object::Description &description_;
  const LoadedObject &loaded_;
  Output &output_;
  KernelStackSource stacks_;
  Symbols symbols_;
  SourceFinder sources_;
  bool has_user_symbols_ = false;  // in what it prints
  bool remembers_all_ = false;     // still to be done
  UnwindTables unwind_;
  PrintContext context_;
  MapPrinter map_printer_;
  std::vector<MapReader> maps_;
  std::unique_ptr<RecordPrinter> records_;
  RingReader output_ring_, control_ring_;
  std::function<void(uint64_t)> on_unwatch_;
  std::function<void(const WatchRequest &)> on_watch_;
  uint64_t reported_lost_ = 0;
  std::vector<uint64_t> reported_errors_;  // per error site
  bool has_exited_ = false;
  int exit_code_ = 0;
};

}  // namespace awl::runtime
