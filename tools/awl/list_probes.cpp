// awl -l: what could be probed on this machine. One lister per probe family.

#include <net/if.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>

#include "base/cgroup.h"
#include "base/tracefs.h"
#include "frontend/probes/families.h"
#include "frontend/probes/network.h"
#include "frontend/probes/syscall_table.h"
#include "frontend/target/target.h"
#include "runtime/tracer.h"
#include "tools/awl/commands.h"
#include "tools/awl/compile_script.h"
#include "tools/awl/list_user_probes.h"
#include "tools/common/parse_options.h"

namespace awl::tools {
namespace {

using frontend::matches_pattern;

struct Listing {
  frontend::Target &target;
  std::string family;   // its full name
  std::string pattern;  // with the family's full name in front
  bool verbose;
  bool is_live;            // this machine, not a snapshot
  std::optional<int> pid;  // -p
  size_t printed = 0;

  // Prints a probe when it matches, then its arguments when they are wanted.
  // What a number may stand behind ends with a colon: "hardware:cycles:", "interval:s:".
  bool matches(const std::string &name) const {
    return matches_pattern(pattern, name) ||
           (name.ends_with(':') &&
            (matches_pattern(pattern + ":", name) || pattern.starts_with(name)));
  }

  void print(const std::string &name, const std::function<void()> &print_arguments = nullptr) {
    if (!matches(name)) return;
    puts(name.c_str());
    ++printed;
    if (verbose && print_arguments) print_arguments();
  }
};

void print_argument(const std::string &type, const std::string &name) {
  // An array's size stands behind the name, as in C.
  const size_t bracket = type.find('[');
  if (bracket == std::string::npos)
    printf("    %s %s\n", type.c_str(), name.c_str());
  else
    printf("    %s %s%s\n", type.substr(0, bracket).c_str(), name.c_str(),
           type.substr(bracket).c_str());
}

// The part of the pattern between two colons; "*" when there is none.
std::string part(const std::string &pattern, size_t index) {
  size_t begin = 0;
  for (; index > 0; --index) {
    begin = pattern.find(':', begin);
    if (begin == std::string::npos) return "*";
    ++begin;
  }
  const size_t end = pattern.find(':', begin);
  return pattern.substr(begin, end == std::string::npos ? end : end - begin);
}

Status list_tracepoints(Listing &listing) {
  const auto colons = std::count(listing.pattern.begin(), listing.pattern.end(), ':');
  std::vector<std::string> names = listing.target.tracepoints(
      colons == 0 ? "*" : part(listing.pattern, 1), colons == 0 ? "*" : part(listing.pattern, 2));
  // One part is a subsystem or an event.
  if (colons == 1) {
    const std::vector<std::string> events =
        listing.target.tracepoints("*", part(listing.pattern, 1));
    names.insert(names.end(), events.begin(), events.end());
    listing.pattern = "*";
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.empty() && listing.is_live) {
    if (Result<std::string> events = read_tracefs_file("available_events"); !events)
      warn("tracepoints cannot be listed: " + events.error().message);
  }
  for (const std::string &name : names) {
    listing.print("tracepoint:" + name, [&] {
      const size_t colon = name.find(':');
      Result<frontend::TracepointFormat> format =
          listing.target.tracepoint_format(name.substr(0, colon), name.substr(colon + 1));
      if (!format) return;
      for (const frontend::TracepointField &field : format->fields)
        print_argument((field.is_data_loc ? "__data_loc " : "") + field.type_text, field.name);
    });
  }
  return ok();
}

// iter and lsm: what the kernel's BTF has for them.
Status list_hooks(Listing &listing, const char *family, const char *prefix, bool is_function) {
  std::vector<std::string> names = listing.target.btf_names(prefix, is_function);
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    if (name.find("__") != std::string::npos) continue;  // helpers of the verifier's
    listing.print(std::string(family) + ":" + name, [&] {
      frontend::Diagnostics diagnostics;
      frontend::TypeStore store;
      const auto resolver = listing.target.type_resolver(store);
      store.set_resolver(resolver.get());
      const frontend::Options options;
      const frontend::Config config;
      frontend::ProbeContext context{diagnostics, store, listing.target, options, config};
      frontend::ast::AttachPoint point{frontend::Span{}};
      point.provider = family;
      point.parts = {name};
      for (const auto &spec : frontend::resolve_attach_point(context, point)) {
        for (const auto &member : store.complete(spec.args_type->struct_def).members) {
          print_argument(
              member.type_text.empty() ? frontend::to_string(member.type) : member.type_text,
              member.name);
        }
      }
    });
  }
  return ok();
}

Status list_iterators(Listing &listing) { return list_hooks(listing, "iter", "bpf_iter__", false); }

Status list_security_hooks(Listing &listing) {
  return list_hooks(listing, "lsm", "bpf_lsm_", true);
}

Status list_syscalls(Listing &listing) {
  // `syscall:openat` means both ends.
  if (std::count(listing.pattern.begin(), listing.pattern.end(), ':') == 1) listing.pattern += ":*";
  const bool is_plain = listing.pattern.find(':') == std::string::npos;
  if (!is_plain) {
    listing.pattern = part(listing.pattern, 0) + ":" +
                      frontend::canonical_syscall(part(listing.pattern, 1)) + ":" +
                      part(listing.pattern, 2);
  }
  for (const std::string &name :
       frontend::matching_syscalls(is_plain ? "*" : part(listing.pattern, 1))) {
    for (const char *end : {":enter", ":exit"}) {
      listing.print("syscall:" + name + end, [&] {
        std::vector<frontend::SyscallParameter> parameters;
        frontend::find_syscall_parameters(name, &parameters);
        for (const auto &parameter : parameters)
          print_argument(parameter.type_text, parameter.name);
        if (end == std::string(":exit")) print_argument("long", "retval");
      });
    }
  }
  return ok();
}

Status list_raw_tracepoints(Listing &listing) {
  frontend::TypeStore store;
  const auto resolver = listing.target.type_resolver(store);
  store.set_resolver(resolver.get());
  // `rawtracepoint:event` means any module.
  if (std::count(listing.pattern.begin(), listing.pattern.end(), ':') == 1)
    listing.pattern.insert(listing.pattern.find(':') + 1, "*:");
  std::vector<std::string> names = listing.target.raw_tracepoints();
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    const bool has_module = name.find(':') != std::string::npos;
    listing.print("rawtracepoint:" + (has_module ? name : "vmlinux:" + name), [&] {
      const auto signature = listing.target.raw_tracepoint(store, name.substr(name.find(':') + 1));
      if (!signature) return;
      for (const frontend::FunctionParameter &parameter : signature->parameters)
        print_argument(parameter.type_text, parameter.name);
    });
  }
  return ok();
}

// How a kernel function's arguments are listed, and what it returns.
void print_signature(frontend::Target &target, frontend::TypeStore &store,
                     const std::string &module, const std::string &function, bool with_result) {
  const auto signature = target.kernel_function(store, module, function);
  if (!signature) return;
  for (const frontend::FunctionParameter &parameter : signature->parameters)
    print_argument(parameter.type_text, parameter.name);
  if (with_result && signature->return_type_text != "void")
    print_argument(signature->return_type_text, "retval");
}

// kprobe:FUNCTION, or kprobe:MODULE:FUNCTION where the pattern names a module; fentry and fexit
// always say it.
Status list_kernel_functions(Listing &listing, bool is_typed) {
  const std::string family = part(listing.pattern, 0);
  const auto colons = std::count(listing.pattern.begin(), listing.pattern.end(), ':');
  // What stands for all names is matched with the whole of them.
  const std::string module = colons >= 2 ? part(listing.pattern, 1) : "";
  const std::string name = colons == 0 ? "*" : part(listing.pattern, colons >= 2 ? 2 : 1);
  std::vector<std::string> names = listing.target.kernel_functions(module, name);
  if (is_typed) {
    const std::vector<std::string> typed = listing.target.typed_functions(module, name);
    std::vector<std::string> both;
    std::set_intersection(names.begin(), names.end(), typed.begin(), typed.end(),
                          std::back_inserter(both));
    names = std::move(both);
  }
  if (listing.family == "kprobe" && listing.is_live && geteuid() != 0 &&
      listing.target.kernel_functions("", "*").empty())
    warn("the kernel hides its functions from this user; root sees them");
  frontend::TypeStore store;
  const auto resolver = listing.target.type_resolver(store);
  store.set_resolver(resolver.get());
  const bool has_module = is_typed || colons >= 2;
  if (colons > 0) listing.pattern = "*";
  for (const std::string &full : names) {
    const size_t colon = full.find(':');
    const std::string function = full.substr(colon + 1);
    listing.print(listing.family + ":" + (has_module ? full : function), [&] {
      print_signature(listing.target, store, full.substr(0, colon), function,
                      is_typed || listing.family == "kretprobe");
    });
  }
  return ok();
}

Status list_kprobes(Listing &listing) { return list_kernel_functions(listing, false); }

Status list_fentry(Listing &listing) {
  if (part(listing.pattern, 1) != "bpf" || listing.pattern.find(':') == std::string::npos) {
    return list_kernel_functions(listing, true);
  }
  Result<std::vector<std::string>> names = runtime::list_bpf_functions(listing.family);
  if (!names) return names.error();
  // `fentry:bpf:name` means any program.
  if (std::count(listing.pattern.begin(), listing.pattern.end(), ':') == 2)
    listing.pattern.insert(listing.pattern.rfind(':') + 1, "*:");
  for (const std::string &name : *names) listing.print(name);
  return ok();
}

Status list_hardware(Listing &listing) {
  for (const char *event : {"backend-stalls", "branch-instructions", "branch-misses", "branches",
                            "bus-cycles", "cache-misses", "cache-references", "cpu-cycles",
                            "cycles", "frontend-stalls", "instructions", "ref-cycles"})
    listing.print(std::string("hardware:") + event + ":");
  return ok();
}

Status list_software(Listing &listing) {
  for (const char *event : {"alignment-faults", "bpf-output", "context-switches", "cpu",
                            "cpu-clock", "cpu-migrations", "cs", "dummy", "emulation-faults",
                            "faults", "major-faults", "minor-faults", "page-faults", "task-clock"})
    listing.print(std::string("software:") + event + ":");
  return ok();
}

Status list_timers(Listing &listing) {
  for (const char *family : {"interval", "profile"})
    for (const char *unit : {"hz", "ms", "s", "us"})
      listing.print(std::string(family) + ":" + unit + ":");
  return ok();
}

// What has a name of its own in every script, or a signal's.
Status list_own(Listing &listing) {
  if (listing.family != "self") {
    listing.print(listing.family);
    return ok();
  }
  for (const std::string &signal : frontend::self_signals()) listing.print("self:signal:" + signal);
  return ok();
}

// test:NAME, bench:NAME: `awl -l FILE` lists those.
Status list_scripts_own(Listing &listing) {
  warn(listing.family + " probes get their names from a script; awl -l FILE lists those of a file");
  return ok();
}

Status list_in_binaries(Listing &listing) {
  return list_user_probes(listing.target, listing.pattern, listing.pid,
                          [&](const std::string &name, const auto &arguments) {
                            puts(name.c_str());
                            ++listing.printed;
                            if (!listing.verbose) return;
                            for (const auto &[type, argument] : arguments())
                              print_argument(type, argument);
                          });
}

// What there is to read in a probe of a network family.
void print_network_arguments(frontend::ProbeFamily family, const std::string &hook) {
  for (const frontend::ContextField &field : frontend::context_fields(family, hook))
    print_argument(frontend::context_field_type(field), field.name);
  if (!frontend::has_packet(family)) return;
  for (const frontend::PacketHeaderInfo &header : frontend::packet_headers()) {
    for (const frontend::PacketField &field : header.fields) {
      const std::string type =
          field.is_address ? "uint8[" + std::to_string(field.size) + "]"
                           : "uint" + std::to_string(frontend::packet_field_bytes(field) * 8);
      print_argument(type, std::string("pkt.") + header.name + "." + field.name);
    }
  }
}

void list_hooks(Listing &listing, frontend::ProbeFamily family, const std::string &prefix,
                std::span<const std::string_view> hooks) {
  for (const std::string_view hook : hooks) {
    listing.print(prefix + ":" + std::string(hook),
                  [&] { print_network_arguments(family, std::string(hook)); });
  }
}

Status list_interfaces(Listing &listing) {
  struct if_nameindex *list = if_nameindex();
  if (list == nullptr) return Error::from_errno("cannot list the network interfaces");
  for (const struct if_nameindex *one = list; one->if_index != 0; ++one) {
    const std::string name = one->if_name;
    listing.print("xdp:" + name, [] { print_network_arguments(frontend::ProbeFamily::kXdp, ""); });
    list_hooks(listing, frontend::ProbeFamily::kTc, "tc:" + name, frontend::kDirections);
  }
  if_freenameindex(list);
  return ok();
}

// The hooks of one cgroup: the one in the pattern, or that of all processes.
Status list_cgroup_hooks(Listing &listing) {
  const std::string wanted = part(listing.pattern, 1);
  const bool is_any = frontend::has_wildcard(wanted);
  Result<std::string> path = is_any ? cgroup2_mount() : cgroup_path(wanted);
  if (!path) return path.error();
  using enum frontend::ProbeFamily;
  list_hooks(listing, kCgroupSkb, "cgroup_skb:" + *path, frontend::kDirections);
  list_hooks(listing, kCgroupSockAddr, "cgroup_sock_addr:" + *path,
             frontend::socket_address_hooks());
  listing.print("sock_ops:" + *path, [] { print_network_arguments(kSockOps, ""); });
  for (const frontend::SocketOperation &operation : frontend::socket_operations()) {
    listing.print("sock_ops:" + *path + ":" + std::string(operation.name),
                  [] { print_network_arguments(kSockOps, ""); });
  }
  return ok();
}

struct Family {
  const char *name, *short_name;
  Status (*list)(Listing &);
  bool listed_without_pattern;  // whether `awl -l` alone and `-l '*x*'` include it
};
constexpr Family kFamilies[] = {
    {"tracepoint", "t", list_tracepoints, true},
    {"rawtracepoint", "rt", list_raw_tracepoints, true},
    {"syscall", "syscall", list_syscalls, true},
    {"kprobe", "k", list_kprobes, true},
    {"kretprobe", "kr", list_kprobes, false},
    {"fentry", "f", list_fentry, true},
    {"fexit", "fr", list_fentry, false},
    {"hardware", "h", list_hardware, true},
    {"iter", "it", list_iterators, true},
    {"lsm", "lsm", list_security_hooks, true},
    {"software", "s", list_software, true},
    {"interval", "i", list_timers, false},
    {"profile", "p", list_timers, false},
    {"begin", "begin", list_own, false},
    {"end", "end", list_own, false},
    {"self", "self", list_own, false},
    {"test", "test", list_scripts_own, false},
    {"bench", "bench", list_scripts_own, false},
    {"uprobe", "u", list_in_binaries, false},
    {"uretprobe", "ur", list_in_binaries, false},
    {"usdt", "U", list_in_binaries, false},
    {"xdp", "xdp", list_interfaces, false},
    {"tc", "tc", list_interfaces, false},
    {"cgroup_skb", "cgroup_skb", list_cgroup_hooks, false},
    {"sock_ops", "sock_ops", list_cgroup_hooks, false},
    {"cgroup_sock_addr", "cgroup_sock_addr", list_cgroup_hooks, false},
};

// Whether what is behind the family names a binary, an interface or a cgroup.
bool is_by_place(const Family &family) {
  return family.list == list_in_binaries || family.list == list_interfaces ||
         family.list == list_cgroup_hooks || family.list == list_scripts_own;
}

// By its name, its short one, or an old one; null: there is none.
const Family *find_family(std::string_view word) {
  if (word == "kfunc") word = "fentry";
  if (word == "kretfunc") word = "fexit";
  const auto family =
      std::find_if(std::begin(kFamilies), std::end(kFamilies),
                   [&](const Family &f) { return word == f.name || word == f.short_name; });
  return family == std::end(kFamilies) ? nullptr : family;
}

enum class Listed { kNoFamily, kNothing, kSome };

// Lists what a pattern without commas means.
class PatternLister {
 public:
  PatternLister(frontend::Target &target, bool verbose, bool is_live, std::optional<int> pid)
      : target_(target), verbose_(verbose), is_live_(is_live), pid_(pid) {}

  Result<Listed> list(const std::string &pattern) {
    const size_t colon = pattern.find(':');
    const std::string word = pattern.substr(0, colon);
    if (const Family *family = find_family(word)) {
      const char *all = family->list == list_own ? "*" : ":*";
      Status status = list_family(
          *family, family->name + (colon == std::string::npos ? all : pattern.substr(colon)));
      return status ? Result<Listed>(listed_) : status.error();
    }
    // A name alone is the last part of what probes of any family are called.
    const bool is_name =
        colon == std::string::npos && !pattern.empty() && !frontend::has_wildcard(pattern);
    const std::string wanted = pattern.empty() ? "*" : is_name ? "*:" + pattern : pattern;
    for (const Family &family : kFamilies) {
      // A pattern of families does not fit what lies at a place, as a function's name no binary.
      if (!family.listed_without_pattern && (colon == std::string::npos || is_by_place(family)))
        continue;
      if (colon == std::string::npos) {
        (void)list_family(family, wanted);
      } else if (matches_pattern(word, family.name)) {
        (void)list_family(family, family.name + pattern.substr(colon));
      }
    }
    return listed_;
  }

 private:
  Status list_family(const Family &family, const std::string &pattern) {
    Listing listing{target_, family.name, pattern, verbose_, is_live_, pid_};
    Status status = family.list(listing);
    // What lies at a place tells of itself what is not there.
    if (listing.printed > 0 || is_by_place(family)) listed_ = Listed::kSome;
    if (listed_ == Listed::kNoFamily) listed_ = Listed::kNothing;
    return status;
  }

  frontend::Target &target_;
  const bool verbose_, is_live_;
  const std::optional<int> pid_;
  Listed listed_ = Listed::kNoFamily;
};

// `awl -lv 'struct x'`: a kernel type written as C.
bool list_type(frontend::Target &target, const std::string &text) {
  frontend::TypeStore store;
  const auto resolver = target.type_resolver(store);
  store.set_resolver(resolver.get());
  const size_t space = text.find(' ');
  const std::string keyword = text.substr(0, space), tag = text.substr(space + 1);
  if (keyword == "enum") {
    const frontend::TypeRef type = store.find_enum(tag);
    if (!type) return false;
    printf("vmlinux: enum %s {\n", tag.c_str());
    for (const auto &value : type->enum_def->values)
      printf("\t%s = %lld,\n", value.name.c_str(), static_cast<long long>(value.value));
  } else {
    const frontend::TypeRef type = store.find_struct(tag, keyword == "union");
    if (!type) return false;
    printf("vmlinux: %s {\n", text.c_str());
    for (const auto &member : store.complete(type->struct_def).members) {
      const std::string type_text =
          member.type_text.empty() ? frontend::to_string(member.type) : member.type_text;
      const size_t bracket = type_text.find('[');
      printf("\t%s%s%s%s", type_text.substr(0, bracket).c_str(),
             type_text.ends_with('*') ? "" : " ", member.name.c_str(),
             bracket == std::string::npos ? "" : type_text.substr(bracket).c_str());
      if (member.bit_size) printf(":%u", member.bit_size);
      puts(";");
    }
  }
  puts("};\n");
  return true;
}

}  // namespace

int list_probes(const std::string &pattern, bool verbose, const std::string &snapshot,
                const runtime::RunOptions &run) {
  CompileArguments compile;
  compile.snapshot = snapshot;
  Result<std::unique_ptr<frontend::Target>> target = open_target(compile, run);
  if (!target) return fail(target.error().message);
  for (const char *keyword : {"struct ", "union ", "enum "})
    if (pattern.starts_with(keyword))
      return list_type(**target, pattern) ? 0
                                          : fail("no type '" + pattern + "' in the kernel's BTF");

  size_t begin = 0;
  while (true) {
    const size_t comma = pattern.find(',', begin);
    const std::string one =
        pattern.substr(begin, comma == std::string::npos ? comma : comma - begin);
    Result<Listed> listed = PatternLister(**target, verbose, snapshot.empty(), run.pid).list(one);
    if (!listed) return fail(listed.error().message);
    if (*listed == Listed::kNoFamily)
      return fail("no probe family is called '" + one.substr(0, one.find(':')) + "'");
    if (*listed == Listed::kNothing) warn("no probe matches '" + one + "'");
    if (comma == std::string::npos) return 0;
    begin = comma + 1;
  }
}

int command_list(const CommandLine &line) {
  bool verbose = false;
  std::string pattern, snapshot;
  std::optional<int> pid;
  CLI::App app{"Lists probes.\nUsage: awl list [-v] [PATTERN]"};
  app.add_flag("-v", verbose, "List their arguments too");
  app.add_option("-p", pid, "List what this process can be traced at")->option_text("PID");
  app.add_option("--target", snapshot, "List those of a snapshot")->option_text("SNAPSHOT");
  app.add_option("pattern", pattern, "Shell pattern, such as 'tracepoint:sched:*'")
      ->option_text(" ");
  if (const std::optional<int> code = parse_options(app, line)) return *code;
  runtime::RunOptions run;
  run.pid = pid;
  return list_probes(pattern, verbose, snapshot, run);
}

}  // namespace awl::tools
