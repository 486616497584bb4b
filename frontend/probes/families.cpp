#include "frontend/probes/families.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "frontend/diagnostics/nearest_name.h"
#include "frontend/probes/network.h"
#include "frontend/probes/probe_text.h"
#include "frontend/probes/read_parts.h"

namespace awl::frontend {
namespace {

using enum ProbeFamily;

const std::vector<FamilyInfo> &table() {
  static const std::vector<FamilyInfo> families = {
      {kBegin, "begin", {}, "begin", 0, 0, nullptr},
      {kEnd, "end", {}, "end", 0, 0, nullptr},
      {kSelf, "self", {}, "self:signal:SIGNAL", 2, 2, read_self},
      {kInterval, "interval", {"i"}, "interval:UNIT:COUNT", 1, 2, read_timer},
      {kProfile, "profile", {"p"}, "profile:UNIT:RATE", 1, 2, read_timer},
      {kSoftware, "software", {"s"}, "software:EVENT:COUNT", 1, 2, read_perf_event},
      {kHardware, "hardware", {"h"}, "hardware:EVENT:COUNT", 1, 2, read_perf_event},
      {kTracepoint, "tracepoint", {"t"}, "tracepoint:CATEGORY:EVENT", 2, 2, read_tracepoint},
      {kRawTracepoint,
       "rawtracepoint",
       {"rt"},
       "rawtracepoint:[MODULE:]EVENT",
       1,
       2,
       read_raw_tracepoint},
      {kKprobe, "kprobe", {"k"}, "kprobe:[MODULE:]FUNCTION[+OFFSET]", 1, 2, read_kprobe},
      {kKretprobe, "kretprobe", {"kr"}, "kretprobe:[MODULE:]FUNCTION", 1, 2, read_kprobe},
      {kFentry, "fentry", {"f", "kfunc"}, "fentry:[MODULE:]FUNCTION", 1, 3, read_fentry},
      {kFexit, "fexit", {"fr", "kretfunc"}, "fexit:[MODULE:]FUNCTION", 1, 3, read_fentry},
      {kUprobe, "uprobe", {"u"}, "uprobe:BINARY:FUNCTION[+OFFSET]", 2, 3, read_user_function},
      {kUretprobe, "uretprobe", {"ur"}, "uretprobe:BINARY:FUNCTION", 2, 3, read_user_function},
      {kUsdt, "usdt", {"U"}, "usdt:BINARY:[PROVIDER:]NAME", 2, 3, read_usdt},
      {kSyscall, "syscall", {}, "syscall:NAME[:enter|exit]", 1, 2, read_syscall},
      {kIter, "iter", {"it"}, "iter:OBJECT[:PIN]", 1, 2, read_iter},
      {kLsm, "lsm", {}, "lsm:HOOK", 1, 1, read_lsm},
      {kWatchpoint,
       "watchpoint",
       {"w", "asyncwatchpoint", "aw"},
       "watchpoint:ADDRESS|[BINARY:]FUNCTION+argN:LENGTH:MODE",
       3,
       4,
       read_watchpoint},
      {kTest, "test", {}, "test:NAME", 1, 1, read_named},
      {kBench, "bench", {}, "bench:NAME", 1, 1, read_named},
      {kXdp, "xdp", {}, "xdp:INTERFACE", 1, 1, read_interface},
      {kTc, "tc", {}, "tc:INTERFACE:ingress|egress|*", 2, 2, read_interface},
      {kCgroupSkb, "cgroup_skb", {}, "cgroup_skb:PATH:ingress|egress", 2, 2, read_cgroup},
      {kSockOps, "sock_ops", {}, "sock_ops:PATH[:OPERATION]", 1, 2, read_cgroup},
      {kCgroupSockAddr, "cgroup_sock_addr", {}, "cgroup_sock_addr:PATH:HOOK", 2, 2, read_cgroup},
  };
  return families;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const FamilyInfo &family : table()) {
    names.push_back(family.name);
    for (std::string_view alias : family.aliases) {
      if (alias.size() > 2) names.emplace_back(alias);
    }
  }
  return names;
}

std::string count_text(size_t min, size_t max) {
  if (max == 0) return "nothing";
  std::string text = min == max ? fmt::format("{}", min)
                                : fmt::format("{} {} {}", min, max == min + 1 ? "or" : "to", max);
  return text + (max == 1 ? " part" : " parts");
}

// The text with the values of the positional parameters that are known in the place of `$1`, `$2`,
// …. When compiled ahead of time, those that are not known stay: the runtime puts them in.
// `missing` gets the last of them that stands for nothing.
std::string substitute_parameters(const std::string &text, const Options &options,
                                  std::string *missing) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
    if (text[i] != '$' || end == i + 1 || end > i + 6) {
      result += text[i++];
      continue;
    }
    size_t index = std::stoul(text.substr(i + 1, end - i - 1));
    if (index >= 1 && index <= options.parameters.size()) {
      result += options.parameters[index - 1];
    } else if (options.is_ahead_of_time) {
      result += text.substr(i, end - i);
    } else {
      *missing = text.substr(i, end - i);
    }
    i = end;
  }
  return result;
}

// The attach point with its parameters put in. A value may hold colons and then counts as several
// parts, or be the whole attach point.
ast::AttachPoint substitute_parameters(const ast::AttachPoint &original, ProbeContext &context) {
  ast::AttachPoint point = original;
  if (original.text.find('$') == std::string::npos) return point;
  point.parts.clear();
  point.part_spans.clear();
  auto add = [&](const std::string &text, Span span) {
    std::string missing;
    std::string value = substitute_parameters(text, context.options, &missing);
    if (!missing.empty()) context.diagnostics.emit(span, kProbeParameterMissing, missing);
    bool is_value = value != text;
    size_t begin = 0;
    for (size_t colon; is_value && (colon = value.find(':', begin)) != std::string::npos;) {
      point.parts.push_back(value.substr(begin, colon - begin));
      point.part_spans.push_back(span);
      begin = colon + 1;
    }
    point.parts.push_back(value.substr(begin));
    point.part_spans.push_back(span);
  };
  add(original.provider, original.span);
  for (size_t i = 0; i < original.parts.size(); ++i) add(original.parts[i], part_span(original, i));
  point.provider = point.parts.front();
  point.parts.erase(point.parts.begin());
  point.part_spans.erase(point.part_spans.begin());
  return point;
}

// `syscall:NAME` means both ends.
std::vector<ProbeSpec> split_ends(const ProbeSpec &spec) {
  std::vector<ProbeSpec> specs;
  for (const char *end : {"enter", "exit"}) {
    if (!matches_pattern(spec.category, end)) continue;
    ProbeSpec part = spec;
    part.category = end;
    part.name = "syscall:" + part.target + ":" + end;
    specs.push_back(std::move(part));
  }
  return specs;
}

// `tc:INTERFACE:*` means both directions.
std::vector<ProbeSpec> split_directions(const ProbeSpec &spec) {
  std::vector<ProbeSpec> specs;
  for (const std::string_view direction : kDirections) {
    ProbeSpec part = spec;
    part.category = direction;
    part.name = fmt::format("{}:{}:{}", family_name(spec.family), part.target, direction);
    specs.push_back(std::move(part));
  }
  return specs;
}

// What stands for several kinds of programs is one spec for each: here a pattern in the category
// `syscalls` that may mean entries and exits.
std::vector<ProbeSpec> split_kinds(ProbeSpec spec) {
  if (spec.family == kSyscall) return split_ends(spec);
  if (is_network(spec.family) && spec.category == "*") return split_directions(spec);
  bool is_mixed = spec.family == kTracepoint && spec.category == "syscalls" && spec.has_wildcard &&
                  !spec.target.starts_with("sys_enter_") && !spec.target.starts_with("sys_exit_");
  if (!is_mixed) return {std::move(spec)};
  std::vector<ProbeSpec> specs;
  for (const char *prefix : {"sys_enter_", "sys_exit_"}) {
    for (std::string &pattern : patterns_with_prefix(spec.target, prefix)) {
      ProbeSpec part = spec;
      part.has_wildcard = has_wildcard(pattern);
      part.name = "tracepoint:syscalls:" + pattern;
      part.target = std::move(pattern);
      specs.push_back(std::move(part));
    }
  }
  if (specs.empty()) specs.push_back(std::move(spec));
  return specs;
}

}  // namespace

bool is_exit_probe(const ProbeSpec &spec) {
  return spec.family == kKretprobe || spec.family == kFexit || spec.family == kUretprobe ||
         (spec.family == kSyscall && spec.category == "exit");
}

bool is_user_watchpoint(const ProbeSpec &spec) {
  return spec.family == kWatchpoint && (spec.watched_argument || (spec.address >> 63) == 0);
}

const char *family_name(ProbeFamily family) { return family_info(family).name; }

const std::vector<FamilyInfo> &all_families() { return table(); }

const FamilyInfo *find_family(std::string_view provider) {
  std::string lower(provider);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const FamilyInfo &family : table()) {
    // Short names mind the case (`u` is not `U`), long ones do not (`BEGIN`).
    if (lower == family.name) return &family;
    for (std::string_view alias : family.aliases) {
      if (provider == alias) return &family;
    }
  }
  return nullptr;
}

const FamilyInfo &family_info(ProbeFamily family) {
  return *std::find_if(table().begin(), table().end(),
                       [&](const FamilyInfo &info) { return info.family == family; });
}

Span part_span(const ast::AttachPoint &point, size_t index) {
  return index < point.part_spans.size() ? point.part_spans[index] : point.span;
}

std::string suggestion(const std::string &nearest) {
  return nearest.empty() ? "" : "did you mean '" + nearest + "'?";
}

bool report_missing(ProbeContext &context, Span span, const std::string &what,
                    const std::string &hint) {
  if (context.config.missing_probes == "ignore") return false;
  if (context.config.missing_probes == "warn") {
    context.diagnostics.emit(span, kProbeMissingTargetSkipped, what).hint(hint);
    return false;
  }
  context.diagnostics.emit(span, kProbeMissingTarget, what)
      .hint(hint.empty()
                ? "set the configuration variable missing_probes to 'warn' to go on without"
                : hint);
  return false;
}

// `sched:sched_switch` or `sched_switch`: a tracepoint that is not called one. Empty: it is none.
static std::string meant_tracepoint(ProbeContext &context, const ast::AttachPoint &point) {
  if (point.parts.size() > 1) return "";
  const std::vector<std::string> found =
      point.parts.empty() ? context.target.tracepoints("*", point.provider)
                          : context.target.tracepoints(point.provider, point.parts[0]);
  return found.size() == 1 ? "tracepoint:" + found.front() : "";
}

std::vector<ProbeSpec> resolve_attach_point(ProbeContext &context,
                                            const ast::AttachPoint &original) {
  ast::AttachPoint point = substitute_parameters(original, context);
  const FamilyInfo *family = find_family(point.provider);
  if (!family) {
    std::string meant = meant_tracepoint(context, point);
    if (meant.empty()) meant = nearest_name(point.provider, all_names());
    context.diagnostics.emit(point.span, kProbeUnknownProvider, point.provider)
        .hint(suggestion(meant));
    return {};
  }
  if (point.parts.size() < family->min_parts || point.parts.size() > family->max_parts) {
    context.diagnostics
        .emit(point.span, kProbeArgumentCount, family->name,
              count_text(family->min_parts, family->max_parts), point.parts.size())
        .hint(fmt::format("write {}", family->usage));
    return {};
  }
  if (const std::string &last = point.parts.empty() ? point.provider : point.parts.back();
      last.ends_with('/') && last.find('/') != last.size() - 1 && last.find('/') != 0) {
    context.diagnostics.emit(point.span, kProbeFilterInName, last)
        .hint("put a space before the filter");
    return {};
  }
  ProbeSpec spec;
  spec.family = family->family;
  spec.attach_point = &original;
  spec.name = family->name;
  for (const std::string &part : point.parts) spec.name += ":" + part;
  if (family->resolve && !family->resolve(context, point, spec)) return {};
  return split_kinds(std::move(spec));
}

}  // namespace awl::frontend
