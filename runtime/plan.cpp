#include "runtime/plan.h"

#include <regex.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "base/pattern.h"
#include "base/tracefs.h"
#include "runtime/attach/user_patches.h"
#include "runtime/child.h"
#include "runtime/used_features.h"

namespace awl::runtime {
namespace {

// --probe-filter: an extended regular expression, found anywhere in a name.
class NameFilter {
 public:
  static Result<NameFilter> compile(const std::string &expression) {
    NameFilter filter;
    if (expression.empty()) return filter;
    filter.regex_ = std::make_unique<regex_t>();
    const int code = regcomp(filter.regex_.get(), expression.c_str(), REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
      char text[256];
      regerror(code, filter.regex_.get(), text, sizeof text);
      filter.regex_.reset();
      return Error{"the probe filter is no regular expression: " + std::string(text)};
    }
    return filter;
  }
  NameFilter(NameFilter &&) = default;
  ~NameFilter() {
    if (regex_ != nullptr) regfree(regex_.get());
  }

  bool admits(const Target &target) const {
    if (regex_ == nullptr) return true;
    const std::string &family = target.point->family;
    if (family == "begin" || family == "end") return true;
    return regexec(regex_.get(), target.name.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  NameFilter() = default;
  std::unique_ptr<regex_t> regex_;
};

// Which copies a program needs.
class Planner {
 public:
  Planner(const object::Description &description, const AttachContext &context,
          const NameFilter &filter, RunMode mode, Plan &plan)
      : description_(description),
        context_(context),
        filter_(filter),
        mode_(mode),
        plan_(plan),
        user_patches_(context) {}

  Status plan_program(const object::Program &program) {
    const Family *family = find_family(program);
    if (family == nullptr) {
      return Error{"probes of the family \"" +
                   (program.attach_points.empty() ? "" : program.attach_points[0].family) +
                   "\" cannot be attached by this version"};
    }
    plan_.families.push_back(family);
    plan_.instances.emplace_back();
    if (!is_of_mode(program)) return ok();
    std::vector<Target> targets;
    find_targets(program, *family, targets);
    if (program.is_entry) {
      keep_calls_that_return(targets);
      leave_to_sessions(program, targets);
    } else {
      number(targets);
    }
    if (!targets.empty()) divide(program, *family, targets);
    return ok();
  }

 private:
  // Gives targets their probe ids. The places of a static user probe are one probe, and so are
  // kernel functions of one name.
  void number(std::vector<Target> &targets) {
    std::map<std::pair<const object::AttachPoint *, std::string>, uint32_t> known;
    for (Target &target : targets) {
      target.probe_id = static_cast<uint32_t>(plan_.names.size());
      if (target.point->family == "usdt" || is_kprobe_family(target.point->family)) {
        const auto [entry, is_new] =
            known.try_emplace({target.point, target.name}, target.probe_id);
        target.probe_id = entry->second;
        if (!is_new) continue;
      }
      plan_.names.push_back({target.name});
    }
  }

  // Tests and benchmarks are there in their own mode only.
  bool is_of_mode(const object::Program &program) const {
    const std::string &name = program.attach_points.front().family;
    if (name == "test") return mode_ == RunMode::kTest;
    return name != "bench" || mode_ == RunMode::kBench;
  }

  void report_missing(const std::string &text, const object::Location &location) {
    report_left_out(text + (text.back() == '?' ? "" : ".") +
                        " If this is expected, set the config variable missing_probes to \"warn\".",
                    text, location);
  }

  // An error with one text, or where the policy is to go on a warning with the other.
  void report_left_out(const std::string &error, const std::string &warning,
                       const object::Location &location) {
    const std::string &policy = description_.settings.missing_probes;
    if (policy == "ignore") return;
    const bool is_warning = policy == "warn";
    plan_.problems.push_back({is_warning ? warning : error, location, is_warning});
  }

  void find_targets(const object::Program &program, const Family &family,
                    std::vector<Target> &targets) {
    bool was_reported = false, was_filtered = false;
    const object::AttachPoint *empty_pattern = nullptr;
    std::string empty_text;
    for (const object::AttachPoint &point : program.attach_points) {
      Result<Expansion> expansion = family.expand(context_, point);
      if (!expansion) {
        // The program of the exits, which is next, has the same attach points.
        if (program.is_entry && !finds_watched(program)) continue;
        plan_.problems.push_back(
            {"cannot look up " + point.name + ": " + expansion.error().message, point.location});
        was_reported = true;
        continue;
      }
      if (!expansion->missing.empty() && (!program.is_entry || finds_watched(program))) {
        // One of several patterns may match nothing; a name must exist.
        const bool is_pattern = has_wildcard(point.category) || has_wildcard(point.target) ||
                                has_wildcard(point.binary);
        if (is_pattern) {
          empty_pattern = &point;
          empty_text = expansion->missing;
        } else {
          report_missing(expansion->missing, point.location);
          was_reported = true;
        }
      }
      if (!expansion->refused.empty()) {
        report_left_out(expansion->refused, expansion->refused, point.location);
        was_reported = true;
      }
      if (!expansion->warning.empty()) {
        plan_.problems.push_back({expansion->warning, point.location, true});
      }
      for (Target &target : expansion->targets) {
        if (program.is_entry || filter_.admits(target)) {
          targets.push_back(std::move(target));
        } else {
          was_filtered = true;
        }
      }
    }
    if (targets.empty() && empty_pattern != nullptr && !was_reported && !was_filtered) {
      report_missing(empty_text, empty_pattern->location);
    }
    if (!program.dispatch.empty()) keep_each_syscall_once(targets);
  }

  // Whether a program tells the address that the next one, of a watchpoint, watches. Other entries
  // have the attach points of the program that follows, which reports what is missing.
  bool finds_watched(const object::Program &program) const {
    const size_t next = static_cast<size_t>(&program - description_.programs.data()) + 1;
    return program.is_entry && next < description_.programs.size() &&
           description_.programs[next].attach_points.front().family == "watchpoint";
  }

  // A system call has one entry in the dispatch table.
  static void keep_each_syscall_once(std::vector<Target> &targets) {
    std::vector<Target> kept;
    for (Target &target : targets) {
      const bool is_there = std::any_of(
          kept.begin(), kept.end(), [&](const Target &other) { return other.name == target.name; });
      if (!is_there) kept.push_back(std::move(target));
    }
    targets = std::move(kept);
  }

  // The others would fill the map of entries.
  static void keep_calls_that_return(std::vector<Target> &targets) {
    std::erase_if(targets, [](const Target &target) {
      return target.point->family == "syscall" &&
             (target.event == "exit" || target.event == "exit_group");
    });
  }

  // Where the next program, of the exits, is attached as a session it sees the entries itself.
  void leave_to_sessions(const object::Program &entry, std::vector<Target> &targets) const {
    if (&entry == &description_.programs.back()) return;
    const object::Program &exits = *(&entry + 1);
    std::erase_if(targets,
                  [&](const Target &target) { return is_session(link_of(exits, target)); });
  }

  // What the program's relocations are patched with for a target; probe ids are left 0.
  bool find_patches(const object::Program &program, const Target &target,
                    std::vector<int32_t> &patches) {
    patches.assign(program.relocations.size(), 0);
    for (size_t i = 0; i < program.relocations.size(); ++i) {
      const object::Relocation::Kind kind = program.relocations[i].kind;
      if (kind == object::Relocation::Kind::kSession)
        patches[i] = session_patch(program.relocations[i], target);
      if (kind != object::Relocation::Kind::kUsdtArgument &&
          kind != object::Relocation::Kind::kUserSymbol) {
        continue;
      }
      Result<int32_t> value = user_patches_.find(target, program.relocations[i]);
      if (!value) {
        report_missing(value.error().message, target.point->location);
        return false;
      }
      patches[i] = *value;
    }
    return find_field_offsets(program, target, patches);
  }

  // Nothing, a constant, or the function that is called.
  int32_t session_patch(const object::Relocation &relocation, const Target &target) const {
    if (!is_session(target.link)) return 0;
    if (relocation.is_add) return 1;
    const auto function = context_.session_functions.find(relocation.field);
    return function == context_.session_functions.end() ? 0
                                                        : static_cast<int32_t>(function->second);
  }

  bool find_field_offsets(const object::Program &program, const Target &target,
                          std::vector<int32_t> &offsets) {
    TracepointFormat format;
    bool is_read = false;
    for (size_t i = 0; i < program.relocations.size(); ++i) {
      const object::Relocation &relocation = program.relocations[i];
      if (relocation.kind == object::Relocation::Kind::kFunctionArgument) {
        const std::optional<int32_t> offset = find_argument(target, relocation.field);
        if (!offset) return false;
        offsets[i] = *offset;
        continue;
      }
      if (relocation.kind == object::Relocation::Kind::kLinkHeader) offsets[i] = target.link_header;
      // Keeps targets apart until chain_programs() knows who comes next on each interface.
      if (relocation.kind == object::Relocation::Kind::kNextProgram) {
        offsets[i] = static_cast<int32_t>(target.probe_id);
      }
      if (relocation.kind != object::Relocation::Kind::kTracepointField) continue;
      if (!is_read) {
        Result<TracepointFormat> read = read_tracepoint_format(target.category, target.event);
        if (!read) {
          report_missing(read.error().message, target.point->location);
          return false;
        }
        format = std::move(*read);
        is_read = true;
      }
      const auto field =
          std::find_if(format.fields.begin(), format.fields.end(),
                       [&](const TracepointField &f) { return f.name == relocation.field; });
      if (field == format.fields.end()) {
        report_missing(target.name + " has no field " + relocation.field + " on this kernel",
                       target.point->location);
        return false;
      }
      if (relocation.size != 0 && field->size != relocation.size) {
        report_missing("the field " + relocation.field + " of " + target.name + " has " +
                           std::to_string(field->size) +
                           " bytes on this kernel; the script was "
                           "compiled for " +
                           std::to_string(relocation.size),
                       target.point->location);
        return false;
      }
      offsets[i] = static_cast<int32_t>(field->offset);
    }
    return true;
  }

  // Where an argument of a traced kernel function lies. Nothing: a problem was noted.
  std::optional<int32_t> find_argument(const Target &target, const std::string &name) {
    Result<FunctionTypes *> types = context_.kernel->types();
    const std::optional<int32_t> offset =
        types ? (*types)->argument_offset({target.event, target.category, target.btf_id}, name)
              : std::nullopt;
    // One of the functions that a pattern matches need not have it.
    if (!offset && !target.is_optional) {
      report_missing(target.name + " has no argument " + name + " on this kernel",
                     target.point->location);
    }
    return offset;
  }

  bool has_cookies(const Family &family) const {
    return (family.cookie == CookieKind::kTracing && context_.has_tracing_links) ||
           (family.cookie == CookieKind::kPerf && context_.has_perf_links) ||
           (family.cookie == CookieKind::kRawTracepoint && context_.has_raw_cookies);
  }

  // Puts each target into the first instance that it can share.
  void divide(const object::Program &program, const Family &family, std::vector<Target> &targets) {
    std::vector<Instance> &instances = plan_.instances.back();
    const bool may_share =
        !program.uses_probe_id || !program.dispatch.empty() || has_cookies(family);
    // By what is patched, how it is attached, and where the program cannot ask, by the probe id.
    std::map<std::tuple<uint32_t, MultiLink, std::vector<int32_t>>, size_t> known;
    for (Target &target : targets) {
      target.is_override = program.is_override;
      target.link = link_of(program, target);
      std::vector<int32_t> patches;
      if (!find_patches(program, target, patches)) continue;
      const auto [entry, is_new] = known.try_emplace(
          {may_share ? 0 : target.probe_id, target.link, patches}, instances.size());
      if (is_new) {
        Instance &instance = instances.emplace_back();
        instance.targets.push_back(std::move(target));
        instance.patches = std::move(patches);
      } else {
        instances[entry->second].targets.push_back(std::move(target));
      }
    }
    const bool is_uprobe = is_uprobe_family(program.attach_points.front().family);
    for (Instance &instance : instances) {
      if (is_uprobe) share_link(instance.targets);
      const uint32_t first = instance.targets[0].probe_id;
      const bool is_one =
          std::all_of(instance.targets.begin(), instance.targets.end(),
                      [&](const Target &target) { return target.probe_id == first; });
      instance.probe_id = is_one ? first : kProbeIdFromCookie;
      for (size_t i = 0; i < program.relocations.size(); ++i) {
        if (program.relocations[i].kind == object::Relocation::Kind::kProbeId) {
          instance.patches[i] = static_cast<int32_t>(instance.probe_id);
        }
      }
    }
    if (family.cookie == CookieKind::kTracing) part_targets(instances);
  }

  // What is found by a pattern is attached by one link, what is named by one of its own, which
  // takes more functions (those without a place for ftrace).
  MultiLink link_of(const object::Program &program, const Target &target) const {
    if (is_uprobe_family(target.point->family)) {
      const bool is_session = context_.has_uprobe_session && may_be_session(program);
      return is_session ? MultiLink::kUprobeSession : MultiLink::kNone;
    }
    if (!is_kprobe_family(target.point->family) || program.is_override) return MultiLink::kNone;
    if (context_.has_kprobe_session && may_be_session(program) && takes_session(target))
      return MultiLink::kKprobeSession;
    return context_.has_kprobe_multi && target.is_optional ? MultiLink::kKprobe : MultiLink::kNone;
  }

  // Whether a kernel function is to be attached to by a session: of those that are named, where the
  // name says which one, the kernel lists it, and no fewer calls are seen than by a kretprobe.
  bool takes_session(const Target &target) const {
    if (target.is_optional) return true;
    if (!context_.has_roomy_sessions || target.point->has_address || target.point->offset != 0)
      return false;
    Result<std::shared_ptr<const KernelFunctions>> functions = context_.kernel->functions();
    if (!functions || !(*functions)->is_exact()) return false;
    const std::vector<KernelFunction> named = (*functions)->matching("", target.event);
    return named.size() == 1 && !named.front().is_ambiguous && named.front().module.empty() &&
           (target.category.empty() || target.category == "vmlinux");
  }

  // Several places in user binaries are attached by one link. So is a place with a semaphore:
  // nothing fires between the semaphore and the program.
  void share_link(std::vector<Target> &targets) const {
    if (!context_.has_uprobe_multi || is_session(targets.front().link)) return;
    if (targets.size() == 1 && targets.front().semaphore == 0) return;
    for (Target &target : targets) target.link = MultiLink::kUprobe;
  }

  // A program for kernel functions is tied to one: each further target of an instance becomes a
  // copy of it.
  static void part_targets(std::vector<Instance> &instances) {
    std::vector<Instance> parted;
    for (Instance &instance : instances) {
      std::vector<Target> targets = std::move(instance.targets);
      instance.targets.clear();
      for (size_t i = 0; i < targets.size(); ++i) {
        Instance &single = parted.emplace_back(instance);
        single.targets.push_back(std::move(targets[i]));
        single.is_copy = i > 0;
      }
    }
    instances = std::move(parted);
  }

  const object::Description &description_;
  const AttachContext &context_;
  const NameFilter &filter_;
  const RunMode mode_;
  Plan &plan_;
  UserPatches user_patches_;
};

// Programs that share an interface hand over to each other, in the order of the script.
void chain_programs(const object::Description &description, Plan &plan) {
  std::map<int32_t, std::vector<int32_t *>> open_ends;  // by interface
  for (size_t i = 0; i < description.programs.size(); ++i) {
    const std::vector<object::Relocation> &relocations = description.programs[i].relocations;
    for (Instance &instance : plan.instances[i]) {
      std::vector<int32_t *> ends;
      for (size_t k = 0; k < relocations.size(); ++k) {
        if (relocations[k].kind != object::Relocation::Kind::kNextProgram) continue;
        instance.patches[k] = -1;
        ends.push_back(&instance.patches[k]);
      }
      if (ends.empty()) continue;
      const int32_t interface = instance.targets.front().interface;
      instance.chain_index = plan.chained++;
      instance.is_called_by_other = open_ends.contains(interface);
      for (int32_t *end : open_ends[interface]) *end = instance.chain_index;
      open_ends[interface] = std::move(ends);
    }
  }
}

// Programs on system calls that are one program for the kernel bear its name: it is attached for
// the first of them that has targets.
Status attach_groups_once(const object::Description &description, Plan &plan) {
  std::set<std::string> names;
  for (size_t i = 0; i < description.programs.size(); ++i) {
    const object::Program &program = description.programs[i];
    std::vector<Instance> &instances = plan.instances[i];
    if (instances.empty() || names.insert(program.name).second) continue;
    if (program.dispatch.empty() || instances.size() != 1)
      return Error{"the object has two programs " + program.name};
    instances.front().is_called_by_other = true;
  }
  return ok();
}

}  // namespace

bool Plan::has_errors() const {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem &problem) { return !problem.is_warning; });
}

Result<Plan> make_plan(const object::Description &description, const RunOptions &options,
                       AttachContext &context) {
  Result<NameFilter> filter = NameFilter::compile(options.probe_filter);
  if (!filter) return filter.error();
  context.pid = options.pid;
  context.is_unsafe = options.unsafe;
  if (!options.command.empty()) {
    Result<std::vector<std::string>> words = split_command(options.command);
    if (!words) return words.error();
    context.command = words->front();
  }
  context.kernel = std::make_shared<KernelFacts>(options.traceable_functions);
  find_used_features(description, options.disabled_features, context);
  Plan plan;
  Planner planner(description, context, *filter, options.mode, plan);
  for (const object::Program &program : description.programs) {
    Status status = planner.plan_program(program);
    if (!status) return status.error();
  }
  // Entries are of no use without their exits.
  for (size_t i = 0; i < description.programs.size(); ++i) {
    if (!description.programs[i].is_entry) continue;
    const bool has_exits = i + 1 < plan.instances.size() && !plan.instances[i + 1].empty();
    if (!has_exits) plan.instances[i].clear();
  }
  chain_programs(description, plan);
  if (Status status = attach_groups_once(description, plan); !status) return status.error();
  const uint64_t limit = description.settings.max_probes;
  if (plan.names.size() > limit) {
    return Error{"the script would attach to " + std::to_string(plan.names.size()) +
                 " probes, more than the limit of " + std::to_string(limit) +
                 ". The config variable max_probes (or AWL_MAX_PROBES) raises it; many probes can "
                 "slow the machine down"};
  }
  return plan;
}

}  // namespace awl::runtime
