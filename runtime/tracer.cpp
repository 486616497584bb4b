#include "runtime/tracer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "base/process_root.h"
#include "runtime/attach/attachments.h"
#include "runtime/attach/tracepoint_events.h"
#include "runtime/attach/tracing_errors.h"
#include "runtime/child.h"
#include "runtime/consumer.h"
#include "runtime/drain_beside.h"
#include "runtime/event_loop.h"
#include "runtime/head_start.h"
#include "runtime/loader.h"
#include "runtime/notify.h"
#include "runtime/object_file.h"
#include "runtime/parameters.h"
#include "runtime/plan.h"
#include "runtime/print/output.h"
#include "runtime/signals.h"
#include "runtime/test_runner.h"
#include "runtime/unmapped_binaries.h"
#include "runtime/watcher.h"

namespace awl::runtime {
namespace {

constexpr rlim_t kUsualDescriptors = 256;
constexpr size_t kMaxReportedFailures = 5;  // of one program

// What is attached, for the signal handler that ends the process at once.
Attachments *attached_now = nullptr;

void leave_now() {
  if (attached_now != nullptr) attached_now->leave_behind();
}

Result<object::Description> describe(const ObjectFile &file) {
  const ObjectSection *section = file.find_section(object::kSectionName);
  if (section == nullptr) {
    return Error{"the object was not made by awl: it has no section " +
                 std::string(object::kSectionName)};
  }
  std::string json = file.section_text(*section);
  while (!json.empty() && json.back() == '\0') json.pop_back();
  Result<object::Description> description = object::parse_description(json);
  if (!description) return description.error().with_context("the object's description is wrong");
  return description;
}

// Fails early and clearly where the kernel would refuse the first thing we ask of it.
Status check_privileges() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, sets) != 0) return ok();
  const auto has = [&](int capability) {
    return (sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
  };
  if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))) return ok();
  return Error{"tracing needs root (or the capabilities CAP_BPF and CAP_PERFMON)", EPERM};
}

// The loader reads the kernel's types from an open file of /proc. The kernel writes a value for each
// CPU that there may be, and who reads them must know how many that are: a guess would be wrong.
Status check_mounts() {
  for (const auto &[file, mount] :
       {std::pair("/proc/self/fd", "/proc"), std::pair("/sys/devices/system/cpu/possible", "/sys"),
        std::pair("/sys/devices/system/cpu/online", "/sys")}) {
    if (access(file, R_OK) != 0) {
      return Error::from_errno(std::string("cannot read ") + file)
          .with_context(std::string("tracing needs ") + mount);
    }
  }
  if (libbpf_num_possible_cpus() <= 0) {
    return Error{"/sys/devices/system/cpu/possible does not tell how many CPUs there may be"};
  }
  return ok();
}

// A run, step by step. Each step uses what those before it made; what is attached is let go of
// when this goes, whatever happens.
class Run {
 public:
  Run(const object::Description &description, const RunOptions &options)
      : description_(description), options_(options) {}
  ~Run() {
    attached_now = nullptr;
    if (writer_) writer_->unwatch();  // the signals go first
    detach();
    attachments_.leave_behind();
  }

  Result<int> run(ObjectFile file) {
    Status ready = check_privileges();
    if (ready) ready = check_mounts();
    if (ready) ready = open_output();
    if (!ready) return ready.error();
    if (options_.pid) {
      Result<FileDescriptor> process = open_process(*options_.pid);
      if (!process) return process.error();
      process_ = std::move(*process);
      context_.binary_root = process_root(*options_.pid);
    }
    Result<Plan> plan = make_plan(description_, options_, context_);
    if (!plan) return plan.error();
    plan_ = std::move(*plan);
    if (options_.pid) {
      for (Problem &unmapped : find_unmapped_binaries(plan_, *options_.pid, context_.binary_root)) {
        plan_.problems.push_back(std::move(unmapped));
      }
    }
    if (!report_problems(0)) return 1;
    if (plan_.names.empty()) return Error{"there are no probes to attach to"};
    Status loaded = load(std::move(file));
    if (!loaded && refused_.line == 0) return loaded.error();
    if (!loaded) {
      plan_.problems.assign(1, {loaded.error().message, refused_});
      report_problems(0);
      return 1;
    }
    Result<std::unique_ptr<Consumer>> consumer =
        Consumer::create(description_, loaded_, plan_, options_, *output_);
    if (!consumer) return consumer.error();
    consumer_ = std::move(*consumer);
    const bool has_process = options_.pid || child_ || !options_.unwound_pids.empty();
    if (consumer_->unwinds_stacks() && !has_process) {
      return Error{
          "dw_ustack unwinds the stacks of processes that are named: -p, -c or --dwarf-pid"};
    }
    watcher_ = std::make_unique<Watcher>(description_, context_, plan_, loaded_, attachments_);
    consumer_->set_on_unwatch([this](uint64_t address) { watcher_->unwatch(address); });
    consumer_->set_on_watch([this](const WatchRequest &request) {
      Status status = watcher_->watch(request);
      if (!status) output_->warning(status.error().message);
    });
    Status watching = watcher_->start();
    if (!watching) return watching.error();
    return trace();
  }

 private:
  Status open_output() {
    int fd = STDOUT_FILENO;
    if (!options_.output_path.empty()) {
      output_file_ = FileDescriptor(
          open(options_.output_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
      if (!output_file_) return Error::from_errno("cannot open " + options_.output_path);
      fd = output_file_.get();
    }
    writer_ = std::make_unique<Writer>(fd, STDERR_FILENO, options_.buffering);
    // What tests print is a part of their results.
    const bool is_traced = options_.mode == RunMode::kTrace;
    output_ =
        Output::create(is_traced ? options_.format : OutputFormat::kText, *writer_, description_);
    return ok();
  }

  // Tells the plan's problems from the given one on. False: they forbid to go on.
  bool report_problems(size_t first) {
    bool may_go_on = true;
    for (size_t i = first; i < plan_.problems.size(); ++i) {
      const Problem &problem = plan_.problems[i];
      may_go_on = may_go_on && problem.is_warning;
      if (problem.is_warning && options_.no_warnings) continue;
      output_->user_message({problem.is_warning, problem.text, problem.location, true});
    }
    writer_->flush();
    return may_go_on;
  }

  Status load(ObjectFile file) {
    // What an object says of itself does not count for commands, which are run as root.
    bool is_unsafe = description_.settings.needs_unsafe;
    for (const object::Event &event : description_.events) {
      is_unsafe = is_unsafe || event.kind == object::EventKind::kSystem;
    }
    if (is_unsafe && !options_.unsafe) {
      return Error{"the script calls functions that can change the machine; --unsafe allows it"};
    }
    Result<std::vector<ParameterValue>> parameters = bind_parameters(description_, options_);
    if (!parameters) return parameters.error();
    // A script that asks how many there are knows what to do without.
    const bool is_asked = file.find_symbol(object::kParameterCountVariable, ".rodata") != nullptr;
    if (options_.warn_of_missing_parameters && !options_.no_warnings && !is_asked) {
      for (const std::string &name : missing_parameters(description_, options_)) {
        output_->warning("Positional parameter " + name + " is empty or not provided.");
      }
    }
    Result<Signals> signals = Signals::block();
    if (!signals) return signals.error();
    signals_.emplace(std::move(*signals));
    writer_->watch(signals_->fd(), [this] {
      if (signals_->keep()) signals_->end_at_once(leave_now);
    });
    if (!options_.command.empty()) {
      Result<Child> child = Child::start(options_.command, &*signals_);
      if (!child) return child.error();
      child_.emplace(std::move(*child));
      // What can be attached to one process is attached to this one.
      context_.pid = child_->pid();
    }
    if (child_) context_.child_pid = child_->pid();
    raise_file_limit();  // not that of the command
    LoadInputs inputs;
    inputs.parameters = std::move(*parameters);
    inputs.pid_filter = static_cast<uint64_t>(options_.pid.value_or(0));
    inputs.child_pid = child_ ? static_cast<uint64_t>(child_->pid()) : 0;
    inputs.positional_count = options_.positional.size();
    inputs.debug_libbpf = options_.debug_libbpf;
    inputs.debug_verifier = options_.debug_verifier;
    inputs.head_start = options_.head_start;
    Result<LoadedObject> loaded =
        load_object(std::move(file), description_, plan_, inputs, refused_);
    if (!loaded) return loaded.error();
    loaded_ = std::move(*loaded);
    return ok();
  }

  // Runs the programs of a family that the runtime calls itself, in the script's order, until one
  // calls exit(). `event`: only those for that signal.
  void run_programs(const std::string &family, const std::string &event = "") {
    for (size_t i = 0; i < plan_.instances.size(); ++i) {
      for (size_t k = 0; k < plan_.instances[i].size(); ++k) {
        for (const Target &target : plan_.instances[i][k].targets) {
          if (target.point->family != family || target.event != event) continue;
          run_program(loaded_.program(i, k), target.name);
          if (consumer_->has_pending_exit()) return;
        }
      }
    }
  }

  void run_program(int program, const std::string &name) {
    const DrainBeside drain(*consumer_);
    LIBBPF_OPTS(bpf_test_run_opts, test);
    if (bpf_prog_test_run_opts(program, &test) != 0) {
      output_->warning("cannot run " + name + ": " + strerror(errno));
    }
  }

  // What -v tells of the programs that were loaded.
  void describe_programs() {
    for (size_t i = 0; i < plan_.instances.size(); ++i) {
      for (size_t k = 0; k < plan_.instances[i].size(); ++k) {
        const object::Program &program = description_.programs[i];
        bpf_prog_info info{};
        uint32_t size = sizeof info;
        if (bpf_obj_get_info_by_fd(loaded_.program(i, k), &info, &size) != 0) continue;
        writer_->write_error(fmt::format(
            "Loaded {} ({}): {} instructions, {} bytes of machine code\n", program.name,
            program.section, info.xlated_prog_len / sizeof(bpf_insn), info.jited_prog_len));
        for (const Target &target : plan_.instances[i][k].targets)
          writer_->write_error("  for " + target.name + "\n");
      }
    }
  }

  // Each target may take two descriptors.
  void raise_file_limit() const {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = kUsualDescriptors + 3 * plan_.names.size();
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  bool attach() {
    if (options_.head_start) opened_events_ = options_.head_start->take_events();
    context_.opened_events = &opened_events_;
    const size_t first_problem = plan_.problems.size();
    for (size_t i = 0; i < plan_.instances.size(); ++i) {
      if (plan_.families[i]->attach == nullptr) continue;
      std::vector<AttachFailure> all_failures;
      for (size_t k = 0; k < plan_.instances[i].size(); ++k) {
        if (plan_.instances[i][k].is_called_by_other) continue;
        std::vector<AttachFailure> failures;
        const std::vector<Target> &targets = plan_.instances[i][k].targets;
        if (const int program = loaded_.program(i, k); program >= 0) {
          plan_.families[i]->attach(context_, program, targets, attachments_, failures);
        } else {
          for (const Target &target : targets) {
            failures.push_back({&target, explain_tracing_error(target, EINVAL)});
          }
        }
        all_failures.insert(all_failures.end(), failures.begin(), failures.end());
        if (description_.programs[i].is_entry) continue;
        for (const AttachFailure &failure : failures) failed_.insert(failure.target->probe_id);
      }
      add_problems(plan_.instances[i], all_failures);
    }
    join_problems(first_problem);
    return report_problems(first_problem);
  }

  // What several clauses fail by alike is said once, at the first of them.
  void join_problems(size_t first) {
    std::vector<Problem> &problems = plan_.problems;
    for (size_t i = first; i < problems.size(); ++i) {
      const auto others = problems.begin() + static_cast<std::ptrdiff_t>(i) + 1;
      const auto end = std::remove_if(others, problems.end(), [&](const Problem &other) {
        return other.text == problems[i].text;
      });
      const auto count = problems.end() - end;
      problems.erase(end, problems.end());
      if (count > 0)
        problems[i].text += fmt::format(" (and {} more clause{})", count, count > 1 ? "s" : "");
    }
  }

  // Tells which targets of a program failed. That some of those which a pattern found cannot be
  // traced is no error.
  void add_problems(const std::vector<Instance> &instances,
                    const std::vector<AttachFailure> &failures) {
    const std::string &policy = description_.settings.missing_probes;
    if (policy == "ignore" || failures.empty()) return;
    size_t target_count = 0;
    for (const Instance &instance : instances) target_count += instance.targets.size();
    const bool is_optional =
        std::all_of(failures.begin(), failures.end(),
                    [](const AttachFailure &failure) { return failure.target->is_optional; });
    if (is_optional && failures.size() < target_count) {
      const AttachFailure &first = failures.front();
      std::string text = std::to_string(failures.size()) + " of " + std::to_string(target_count) +
                         " probes cannot be attached: " + first.target->name +
                         (failures.size() > 1 ? " and others" : "");
      plan_.problems.push_back({text, first.target->point->location, true});
      return;
    }
    size_t reported = 0;
    for (size_t i = 0; i < failures.size() && reported < kMaxReportedFailures; ++reported) {
      const AttachFailure &failure = failures[i];
      // Those that follow with the same reason need no line of their own.
      size_t next = i + 1;
      const bool is_last = reported + 1 == kMaxReportedFailures;
      while (next < failures.size() &&
             (is_last || failures[next].error.message == failure.error.message)) {
        ++next;
      }
      std::string text = "cannot attach to " + failure.target->name + ": " + failure.error.message;
      if (next > i + 1) text += " (and " + std::to_string(next - i - 1) + " more)";
      plan_.problems.push_back({text, failure.target->point->location, policy == "warn"});
      i = next;
    }
  }

  // Whether anything can fire while we wait.
  bool has_events() const {
    for (const std::vector<Instance> &instances : plan_.instances) {
      for (const Instance &instance : instances) {
        for (const Target &target : instance.targets) {
          const std::string &family = target.point->family;
          if (family != "begin" && family != "end") return true;
        }
      }
    }
    return false;
  }

  Result<int> trace() {
    attached_now = &attachments_;
    if (options_.verbose) describe_programs();
    if (!options_.dry_run) run_programs("begin");
    const bool has_ended = consumer_->has_pending_exit();
    if (!has_ended && !attach()) return 1;
    if (options_.dry_run) return 0;
    if (options_.mode != RunMode::kTrace) return run_named_programs();
    if (report_pins()) return 0;
    if (!options_.quiet) output_->attached_probes(plan_.names.size() - failed_.size());
    writer_->end_of_batch();
    notify_ready();
    if (child_) {
      Status resumed = child_->resume([&] { consumer_->remember_process(child_->pid()); },
                                      consumer_->unwinds_stacks());
      if (!resumed) return resumed.error();
    }
    if (!attachments_.iterators().empty()) {
      Status status = run_iterators();
      return status ? Result<int>(finish()) : status.error();
    }
    // With nothing but `begin` and `end` there is nothing to wait for.
    if (child_ || has_events()) {
      Status status = run_event_loop(loop_inputs());
      if (!status) return status.error();
    }
    return finish();
  }

  // --test, --bench
  Result<int> run_named_programs() {
    const bool is_test = options_.mode == RunMode::kTest;
    std::vector<NamedProgram> programs;
    for (size_t i = 0; i < plan_.instances.size(); ++i) {
      if (description_.programs[i].attach_points.front().family != (is_test ? "test" : "bench")) {
        continue;
      }
      for (size_t k = 0; k < plan_.instances[i].size(); ++k) {
        for (const Target &target : plan_.instances[i][k].targets) {
          programs.push_back({loaded_.program(i, k), target.point->target});
        }
      }
    }
    if (programs.empty()) {
      return Error{std::string("there are no ") + (is_test ? "tests" : "benchmarks") + " to run"};
    }
    signals_->end_at_once(leave_now);
    const bool is_json = options_.format == OutputFormat::kJson;
    return is_test ? Result<int>(run_tests(programs, is_json, *consumer_, *output_))
                   : run_benchmarks(programs, is_json, *consumer_, *output_);
  }

  // Whether all there is lives on in files of the BPF filesystem.
  bool report_pins() {
    bool is_pinned = false;
    for (const auto &instances : plan_.instances) {
      for (const Instance &instance : instances) {
        for (const Target &target : instance.targets) {
          if (target.point->family != "iter" || target.point->binary.empty()) continue;
          output_->text("Program pinned to " + target.point->binary + "\n");
          is_pinned = true;
        }
      }
    }
    writer_->flush();
    return is_pinned;
  }

  // Reads all of it. An exit() in its program is seen afterwards: others drain the rings meanwhile.
  Status read_iterator(int file) {
    const DrainBeside drain(*consumer_);
    char buffer[4096];
    ssize_t size;
    do {
      size = read(file, buffer, sizeof buffer);
    } while (size > 0 || (size < 0 && (errno == EINTR || errno == EAGAIN)));
    return size == 0 ? ok() : Error::from_errno("cannot run the iterator");
  }

  // Reading an iterator's file runs its program.
  Status run_iterators() {
    for (const FileDescriptor &link : attachments_.iterators()) {
      FileDescriptor file(bpf_iter_create(link.get()));
      if (!file) return Error::from_errno("cannot start the iterator");
      Status status = read_iterator(file.get());
      if (!status) return status;
      if (consumer_->has_pending_exit()) break;
    }
    return ok();
  }

  LoopInputs loop_inputs() {
    LoopInputs inputs;
    inputs.consumer = consumer_.get();
    inputs.output = output_.get();
    inputs.signals = &*signals_;
    inputs.child = child_ ? &*child_ : nullptr;
    inputs.process = process_ ? process_.get() : -1;
    for (const char *name : {object::kOutputRing, object::kControlRing}) {
      if (const int map = loaded_.map(name); map >= 0) inputs.ring_maps.push_back(map);
    }
    inputs.on_signal = [this](int signal) {
      run_programs("self", signal == SIGUSR1 ? "SIGUSR1" : "SIGUSR2");
    };
    return inputs;
  }

  void detach() {
    // What would stop the process again must be gone before that goes on; without links it is the
    // event that keeps the program there.
    attachments_.detach_programs(watcher_ && watcher_->may_stop() && !context_.has_perf_links);
    if (watcher_) watcher_->let_go();
  }

  // All output comes before anything slow: detaching is left to the end, where nobody waits.
  Result<int> finish() {
    signals_->end_at_once(leave_now);
    if (child_) child_->reap();
    detach();
    if (!consumer_->has_exited()) consumer_->drain_completely();
    // exit() may have been called just now, by a `begin` program.
    if (consumer_->has_exited()) consumer_->drop_output();
    run_programs("end");
    consumer_->drain_completely();
    consumer_->print_maps();
    if (options_.no_warnings) {
      consumer_->report_lost();
    } else {
      consumer_->report_total_lost();
      consumer_->report_errors(options_.report_read_errors);
    }
    writer_->flush();
    if (!writer_->has_failed()) return consumer_->exit_code();
    // A reader that has seen enough is told by nobody that it went.
    if (writer_->failure() == EPIPE) return 1;
    errno = writer_->failure();
    return Error::from_errno("cannot write the output");
  }

  const object::Description &description_;
  const RunOptions &options_;
  FileDescriptor output_file_, process_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Output> output_;
  AttachContext context_;
  Plan plan_;
  std::optional<Signals> signals_;
  std::optional<Child> child_;
  TracepointEvents opened_events_;
  LoadedObject loaded_;
  object::Location refused_;  // the place of what could not be loaded, when that is known
  std::unique_ptr<Consumer> consumer_;
  Attachments attachments_;
  std::unique_ptr<Watcher> watcher_;
  std::set<uint32_t> failed_;  // probe ids
};

}  // namespace

Result<int> run(object::Object object, const RunOptions &options) {
  Result<ObjectFile> file = ObjectFile::parse(std::move(object.elf));
  if (!file) return file.error();
  Status filled = fill_in_attach_points(object.description, options.positional);
  if (!filled) return filled.error();
  return Run(object.description, options).run(std::move(*file));
}

Result<std::vector<std::string>> list_targets(object::Object object, const RunOptions &options) {
  Status filled = fill_in_attach_points(object.description, options.positional);
  if (!filled) return filled.error();
  AttachContext context;
  if (options.pid) context.binary_root = process_root(*options.pid);
  Result<Plan> plan = make_plan(object.description, options, context);
  if (!plan) return plan.error();
  for (const Problem &problem : plan->problems) {
    if (!problem.is_warning) return Error{problem.text};
  }
  std::vector<std::string> names;
  for (const ProbeTarget &target : plan->names) names.push_back(target.name);
  return names;
}

Result<object::Object> open_object(std::vector<uint8_t> bytes) {
  Result<ObjectFile> file = ObjectFile::parse(std::move(bytes));
  if (!file) return file.error();
  Result<object::Description> description = describe(*file);
  if (!description) return description.error();
  return object::Object{file->bytes(), std::move(*description)};
}

}  // namespace awl::runtime
