#include "runtime/consumer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/clocks.h"

namespace awl::runtime {
namespace {

using object::EventKind;

// How often is looked again for a record that a program is writing, before the rest of the
// machine gets a turn; programs take microseconds.
constexpr int kMaxWaits = 100000;
// Space is given back to producers each time that much has been read.
constexpr uint64_t kReleaseBytes = 64u << 10;

// Argument `index` of a control record, an integer; 0 when the record is too short.
int64_t argument(const object::Event &event, const Record &record, size_t index) {
  if (index >= event.arguments.size() || record.size < event.size) return 0;
  const object::Field &field = event.arguments[index];
  const object::ValueType &type = field.type[0];
  if (field.offset > record.size || record.size - field.offset < type.size) return 0;
  if (type.size != 1 && type.size != 2 && type.size != 4 && type.size != 8) return 0;
  return load_integer(record.data + field.offset, type.size, type.is_signed);
}

// Whether values of this type print as symbols of processes.
bool has_user_symbols(const object::ValueType &type) {
  if (type.kind == object::ValueKind::kUserSymbol) return true;
  if (type.kind == object::ValueKind::kUserStack) {
    return type.stack_mode != "raw" && type.stack_mode != "build_id";
  }
  return std::any_of(type.fields.begin(), type.fields.end(), [](const object::Field &field) {
    return !field.type.empty() && has_user_symbols(field.type[0]);
  });
}

bool has_user_symbols(const object::Description &description) {
  for (const object::Map &map : description.maps) {
    if (has_user_symbols(map.key) || has_user_symbols(map.value)) return true;
  }
  for (const object::Event &event : description.events) {
    for (const object::Field &field : event.arguments) {
      if (!field.type.empty() && has_user_symbols(field.type[0])) return true;
    }
  }
  return false;
}

}  // namespace

Consumer::Consumer(const object::Description &description, const LoadedObject &loaded,
                   const Plan &plan, const RunOptions &options, Output &output)
    : description_(description),
      loaded_(loaded),
      output_(output),
      stacks_([&loaded](const std::string &name) { return loaded.map(name); }),
      symbols_(description.settings.cpp_demangle,
               description.settings.cache_user_symbols != "NONE"),
      has_user_symbols_(has_user_symbols(description)),
      unwind_(loaded.map(object::kUnwindProcessesMap), loaded.map(object::kUnwindTablesMap)),
      map_printer_(output, context_),
      reported_errors_(description.error_sites.size()) {
  context_.symbols = &symbols_;
  symbols_.set_on_hidden_kernel([this, is_quiet = options.no_warnings] {
    if (is_quiet) return;
    output_.warning(
        "the kernel hides the addresses of its symbols, which print as numbers: see "
        "kernel.kptr_restrict in sysctl(8)");
  });
  if (!options.no_warnings) {
    unwind_.set_on_problem([this](const std::string &problem) { output_.warning(problem); });
  }
  context_.stacks = &stacks_;
  if (description.settings.show_debug_info) context_.sources = &sources_;
  context_.probes = &plan.names;
  context_.truncation_trailer = description.settings.str_trunc_trailer;
  context_.realtime_offset_ns = realtime_offset_ns();
  context_.no_warnings = options.no_warnings;
  for (const object::Map &map : description.maps) maps_.emplace_back(map, loaded.map(map.elf_name));
}

Result<std::unique_ptr<Consumer>> Consumer::create(const object::Description &description,
                                                   const LoadedObject &loaded, const Plan &plan,
                                                   const RunOptions &options, Output &output) {
  std::unique_ptr<Consumer> consumer(new Consumer(description, loaded, plan, options, output));
  Status status = consumer->open_rings();
  if (!status) return status.error();
  Result<std::unique_ptr<RecordPrinter>> records =
      RecordPrinter::create(description, output, consumer->context_);
  if (!records) return records.error();
  consumer->records_ = std::move(*records);
  consumer->follow_processes(options);
  return consumer;
}

void Consumer::follow_processes(const RunOptions &options) {
  const bool is_lazy = description_.settings.lazy_symbolication;
  if (unwinds_stacks()) {
    Symbols::ProcessCalls calls;
    // A library that is loaded later.
    calls.on_map = [this](uint32_t pid) {
      if (unwind_.has_process(pid)) (void)unwind_.add_process(pid);
    };
    calls.on_fork = [this](uint32_t pid, uint32_t parent) { unwind_.inherit(pid, parent); };
    calls.on_exec = [this](uint32_t pid) { unwind_.forget_inherited(pid); };
    calls.on_thread = [this](uint32_t pid) { unwind_.add_thread(pid); };
    calls.on_exit = [this](uint32_t pid) { unwind_.end_thread(pid); };
    calls.on_lost = [this] { unwind_.start_anew(); };
    symbols_.follow_processes(std::move(calls));
  } else if (has_user_symbols_ && !is_lazy) {
    symbols_.follow_processes();
  }
  if (options.pid) remember_process(*options.pid);
  for (int pid : options.unwound_pids) remember_process(pid);
  remembers_all_ = has_user_symbols_ && !is_lazy && !options.pid && options.command.empty();
}

void Consumer::remember_process(pid_t pid) {
  if (has_user_symbols_ && !description_.settings.lazy_symbolication) {
    symbols_.remember_process(static_cast<uint32_t>(pid));
  }
  Status status = unwind_.add_process(static_cast<uint32_t>(pid));
  if (!status) output_.warning(status.error().message);
}

void Consumer::remember_processes() {
  if (remembers_all_) symbols_.remember_all_processes();
  remembers_all_ = false;
}

Status Consumer::open_rings() {
  size_t longest = 0;
  for (const object::Event &event : description_.events) {
    longest = std::max<size_t>(longest, event.size);
  }
  const std::pair<const char *, RingReader *> rings[] = {{object::kOutputRing, &output_ring_},
                                                         {object::kControlRing, &control_ring_}};
  for (const auto &[name, reader] : rings) {
    const int fd = loaded_.map(name);
    if (fd < 0) continue;
    Result<RingReader> opened = RingReader::open(fd, loaded_.map_entries(name), longest);
    if (!opened) return opened.error();
    *reader = std::move(*opened);
  }
  return ok();
}

bool Consumer::drain_output(uint64_t limit) {
  if (!output_ring_.is_open()) return true;
  uint64_t released = output_ring_.position();
  Record record;
  while (output_ring_.position() < limit) {
    const RingReader::State state = output_ring_.peek(&record);
    if (state == RingReader::State::kBusy) return false;
    if (state == RingReader::State::kEmpty) break;
    records_->print(record.data, record.size);
    output_ring_.advance();
    if (output_ring_.position() - released >= kReleaseBytes) {
      output_ring_.rest();
      released = output_ring_.position();
    }
  }
  return true;
}

size_t Consumer::drain() {
  const uint64_t start = output_ring_.position();
  const uint64_t control_start = control_ring_.position();
  const uint64_t output_end = output_ring_.is_open() ? output_ring_.produced() : 0;
  const uint64_t control_end = control_ring_.is_open() ? control_ring_.produced() : 0;
  for (int waits = 0; waits < kMaxWaits && !has_exited_;) {
    Record control;
    RingReader::State state = RingReader::State::kEmpty;
    if (control_ring_.position() < control_end) state = control_ring_.peek(&control);
    if (state == RingReader::State::kBusy) {
      ++waits;
      sched_yield();
      continue;
    }
    if (state == RingReader::State::kEmpty) {
      drain_output(output_end);
      break;
    }
    uint64_t limit = output_end;
    if (control.size >= sizeof(object::ControlHeader)) {
      object::ControlHeader header;
      memcpy(&header, control.data, sizeof header);
      limit = header.output_position;
    }
    if (!drain_output(limit)) {
      ++waits;
      sched_yield();
      continue;
    }
    handle_control(control);
    control_ring_.advance();
  }
  return output_ring_.position() - start + control_ring_.position() - control_start;
}

void Consumer::drain_completely() {
  for (int waits = 0; waits < kMaxWaits && !has_exited_; ++waits) {
    const bool is_output_done =
        !output_ring_.is_open() || output_ring_.position() >= output_ring_.produced();
    const bool is_control_done =
        !control_ring_.is_open() || control_ring_.position() >= control_ring_.produced();
    if (is_output_done && is_control_done) return;
    if (drain() == 0) sched_yield();
  }
}

void Consumer::drop_output() {
  Record record;
  for (RingReader *ring : {&output_ring_, &control_ring_}) {
    if (!ring->is_open()) continue;
    for (int waits = 0; waits < kMaxWaits; ++waits) {
      const RingReader::State state = ring->peek(&record);
      if (state == RingReader::State::kEmpty) break;
      if (state == RingReader::State::kBusy) {
        sched_yield();
        continue;
      }
      ring->advance();
      waits = 0;
    }
  }
  has_exited_ = false;
  catch_up();
}

bool Consumer::has_pending_exit() {
  if (has_exited_ || !control_ring_.is_open()) return has_exited_;
  // Looks ahead with a reader of its own; nothing is taken out.
  return control_ring_.any_pending([&](const Record &record) {
    object::RecordHeader header;
    if (record.size < sizeof header) return false;
    memcpy(&header, record.data, sizeof header);
    return header.event < description_.events.size() &&
           description_.events[header.event].kind == EventKind::kExit;
  });
}

void Consumer::rest() {
  if (output_ring_.is_open()) output_ring_.rest();
  if (control_ring_.is_open()) control_ring_.rest();
}

void Consumer::catch_up() {
  if (output_ring_.is_open()) output_ring_.catch_up();
  if (control_ring_.is_open()) control_ring_.catch_up();
}

void Consumer::handle_control(const Record &record) {
  object::RecordHeader header;
  if (record.size < sizeof(object::ControlHeader)) return;
  memcpy(&header, record.data, sizeof header);
  if (header.event >= description_.events.size()) return;
  const object::Event &event = description_.events[header.event];
  const auto map = static_cast<uint32_t>(event.map);
  const bool has_map = event.map >= 0 && map < maps_.size();
  switch (event.kind) {
    case EventKind::kExit:
      has_exited_ = true;
      exit_code_ = static_cast<int>(argument(event, record, 0));
      return;
    case EventKind::kPrintMap:
      if (has_map) {
        print_map(map, static_cast<uint64_t>(argument(event, record, 0)),
                  static_cast<uint64_t>(argument(event, record, 1)));
      }
      return;
    case EventKind::kClear:
    case EventKind::kZero:
      if (has_map) {
        Status status = event.kind == EventKind::kClear ? maps_[map].clear() : maps_[map].zero();
        if (!status) output_.warning(status.error().message);
      }
      return;
    case EventKind::kUnwatch:
      if (on_unwatch_) on_unwatch_(static_cast<uint64_t>(argument(event, record, 0)));
      return;
    case EventKind::kWatch:
      if (on_watch_) {
        on_watch_({header.program, static_cast<uint64_t>(argument(event, record, 0)),
                   static_cast<int>(argument(event, record, 1)), argument(event, record, 2) != 0});
      }
      return;
    case EventKind::kRuntimeError: {
      const auto site = static_cast<uint64_t>(argument(event, record, 0));
      if (site >= description_.error_sites.size()) return;
      ++reported_errors_[site];
      output_.runtime_error(description_.error_sites[site], argument(event, record, 1));
      return;
    }
    default:
      return;
  }
}

void Consumer::print_map(uint32_t index, uint64_t top, uint64_t div) {
  Result<MapSnapshot> snapshot = maps_[index].read();
  if (snapshot) {
    map_printer_.print(description_.maps[index], *snapshot, top, div);
  } else {
    output_.warning(snapshot.error().message);
  }
}

// Counters in a per-CPU array of u64, summed over the CPUs.
std::vector<uint64_t> Consumer::read_counters(const char *map, size_t count) const {
  std::vector<uint64_t> sums(count);
  const int fd = loaded_.map(map);
  if (fd < 0) return sums;
  std::vector<uint64_t> values(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (uint32_t i = 0; i < count; ++i) {
    if (bpf_map_lookup_elem(fd, &i, values.data()) != 0) break;
    for (uint64_t value : values) sums[i] += value;
  }
  return sums;
}

void Consumer::report_lost() {
  uint64_t lost = 0;
  for (uint64_t count : read_counters(object::kLostMap, description_.programs.size())) {
    lost += count;
  }
  if (lost > reported_lost_) output_.lost_events(lost - reported_lost_);
  reported_lost_ = lost;
}

void Consumer::report_total_lost() {
  report_lost();
  if (reported_lost_ > 0) {
    output_.warning("Total lost event count: " + std::to_string(reported_lost_));
  }
  const std::vector<uint64_t> missed = loaded_.missed_runs();
  for (size_t i = 0; i < missed.size(); ++i) {
    if (missed[i] == 0) continue;
    output_.warning(std::to_string(missed[i]) + " run" + (missed[i] == 1 ? "" : "s") + " of " +
                    description_.programs[i].attach_points.front().name +
                    " did not happen: the kernel skips a program that is under way on the CPU");
  }
}

void Consumer::print_maps() {
  output_.before_final_maps();
  if (!description_.settings.print_maps_on_exit) return;
  std::vector<uint32_t> order(maps_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return description_.maps[a].name < description_.maps[b].name;
  });
  for (uint32_t index : order) {
    Result<MapSnapshot> snapshot = maps_[index].read();
    if (snapshot) {
      map_printer_.print_final(description_.maps[index], *snapshot);
    } else {
      output_.warning(snapshot.error().message);
    }
  }
}

uint64_t Consumer::error_count() const {
  const std::vector<uint64_t> counts =
      read_counters(object::kErrorMap, description_.error_sites.size());
  uint64_t total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (description_.error_sites[i].is_always_reported) total += counts[i];
  }
  return total;
}

void Consumer::report_errors(bool with_reads) {
  const std::vector<uint64_t> counts =
      read_counters(object::kErrorMap, description_.error_sites.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    const object::ErrorSite &site = description_.error_sites[i];
    if (counts[i] > reported_errors_[i] && (site.is_always_reported || with_reads)) {
      output_.error_count(site, counts[i] - reported_errors_[i]);
    }
  }
}

}  // namespace awl::runtime
