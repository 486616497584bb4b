// Probe families: how a pattern becomes targets, and how a program is attached to one.
//
// A family is one record in family.cpp and one file here. Programs that a family runs itself
// (begin, end, self) have no `attach`. Nothing in here knows scripts or objects beyond the
// attach points of the description.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/attach/attachments.h"
#include "runtime/attach/function_types.h"
#include "runtime/attach/multi_link.h"
#include "runtime/object/description.h"

namespace awl::runtime {

// One thing that a program gets attached to.
struct Target {
  uint32_t probe_id = 0;  // index in Plan::names; what `probe` is in the program
  std::string name;       // "tracepoint:sched:sched_switch"
  const object::AttachPoint *point = nullptr;
  std::string category;      // tracepoints
  std::string event;         // tracepoints, software and hardware events, signals
  std::string path;          // uprobes, static user probes: the file (without "!/ENTRY");
                             // cgroups: the folder
  uint64_t file_offset = 0;  // and where in the file
  std::string symbols_path;  // the file with the symbols; empty: `path`
  uint64_t semaphore = 0;    // static user probes: where in the file their semaphore lies; 0: none
  uint64_t address = 0;      // of the place, as the file's symbols count; kprobes: of a function
                             // that shares its name; 0: the name says it
  std::string arguments;     // static user probes: of the place, as its note says
  int32_t syscall = -1;      // system call tracepoints: its number
  uint32_t btf_id = 0;       // fentry, fexit: the function among the types of the kernel, of the
                             // module `category`,
  uint32_t bpf_program = 0;  // or of this running program
  bool is_optional = false;  // one of many that a pattern matches: may fail
  bool is_override = false;  // the program calls override()
  MultiLink link = MultiLink::kNone;  // the one by which all of its instance are attached
  int interface = 0;                  // xdp, tc: index of the network interface,
  int32_t link_header = object::kEthernetHeader;  // and bytes before the network layer there
};

class TracepointEvents;

// What attach points are expanded and programs attached with.
struct AttachContext {
  std::optional<int> pid;        // -p, or once it runs the command of -c
  bool is_unsafe = false;        // --unsafe
  std::optional<int> child_pid;  // -c
  bool has_perf_links = false;   // BPF links on perf events, and with them cookies (5.15)
  bool has_raw_cookies = false;  // cookies on raw tracepoints (6.10)
  bool has_uprobe_multi = false;
  bool has_kprobe_multi = false;
  bool has_uprobe_session = false;
  bool has_kprobe_session = false;
  bool has_roomy_sessions = false;  // of kernel functions, for any number of calls under way
  std::map<std::string, uint32_t> session_functions;  // BTF ids of those that sessions call
  bool has_tracing_links = false;                     // links with cookies on functions (5.19)
  std::shared_ptr<KernelFacts> kernel = std::make_shared<KernelFacts>("");
  TracepointEvents *opened_events = nullptr;  // ahead; null: none
  std::string command;                        // the program of -c, as it was named; empty: none
  std::string binary_root;  // put before paths of binaries: /proc/PID/root, or empty
};

// Which way a program learns what it was attached to when one serves several targets.
enum class CookieKind : uint8_t { kNone, kPerf, kRawTracepoint, kTracing };

// What an expansion found. `missing` says why nothing was found where something had to be.
struct Expansion {
  std::vector<Target> targets;
  std::string
      missing;  // "No matches for tracepoint sched:foo", with a hint; empty: nothing missing
  // Why something that is there is not attached to; empty: nothing of the kind.
  std::string refused;
  std::string warning;  // something to know of what was found
};

struct AttachFailure;

struct Family {
  const char *name;
  CookieKind cookie;
  // The targets of an attach point that exist here. An Error: they cannot be found out.
  Result<Expansion> (*expand)(const AttachContext &, const object::AttachPoint &);
  // Attaches a loaded program to all of its targets; those that fail are errors in the result
  // (see AttachFailure). Null: nothing to attach.
  void (*attach)(const AttachContext &, int program, const std::vector<Target> &, Attachments &,
                 std::vector<AttachFailure> &);
};

// A target that could not be attached.
struct AttachFailure {
  const Target *target = nullptr;
  Error error;
};

// Null: no such family here.
const Family *find_family(const std::string &name);
// The family that serves a program's attach points.
const Family *find_family(const object::Program &program);

// A target that stands for the attach point itself (begin, interval, …).
Target plain_target(const object::AttachPoint &point);

}  // namespace awl::runtime
