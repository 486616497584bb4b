// Attach points with their meaning: which family, what target, what arguments the clause has.
//
// A family is one record in families.cpp: its names, how its parts are read, what context it
// gives. Codegen and runtime have one record of the same name each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/ast/ast.h"

namespace awl::frontend {

enum class ProbeFamily {
  kBegin,
  kEnd,
  kSelf,
  kInterval,
  kProfile,
  kSoftware,
  kHardware,
  kTracepoint,
  kRawTracepoint,
  kKprobe,
  kKretprobe,
  kFentry,
  kFexit,
  kUprobe,
  kUretprobe,
  kUsdt,
  kSyscall,
  kIter,
  kLsm,
  kWatchpoint,
  kTest,
  kBench,
  kXdp,
  kTc,
  kCgroupSkb,
  kSockOps,
  kCgroupSockAddr,
};

// Where an argument of a user function is when the function is entered.
struct UserArgumentPlace {
  enum class Kind {
    kRegister,  // in the register of argN, `number`; one of up to 16 bytes in that and the next
    kStack,     // in memory, `offset` bytes past the stack pointer
    kAddress,   // in memory, where the register of argN, `number`, points to
    kNone,      // nowhere that a program can read; `problem` says why
  };
  Kind kind = Kind::kNone;
  uint32_t number = 0;
  uint32_t offset = 0;
  std::string problem;
  bool operator==(const UserArgumentPlace &) const = default;
};

// An attach point after the pass `resolve_probes`. Wildcards stay wildcards: the runtime expands
// them. Which fields count depends on the family.
struct ProbeSpec {
  ProbeFamily family = ProbeFamily::kBegin;
  const ast::AttachPoint *attach_point = nullptr;
  std::string name;  // full and canonical, as `probe` prints it: "uprobe:/bin/bash:readline"
  std::string
      category;  // tracepoint: subsystem; raw tracepoint, kprobe, fentry: module; usdt: provider;
                 // syscall: "enter" or "exit"
                 // tc, cgroup_skb: direction; sock_ops: operation or empty; cgroup_sock_addr: hook
  std::string target;    // event, function or symbol, software event, signal; network interface;
                         // path of a cgroup; may hold wildcards
  std::string binary;    // uprobe, usdt: path as resolved here, or a pattern; iter: where to pin
  uint64_t offset = 0;   // uprobe, kprobe: bytes past the symbol
  uint64_t address = 0;  // when has_address; fentry:bpf: id of the BPF program, 0 for any
  bool has_address = false;
  uint64_t period_ns = 0;      // interval, profile; 0: use frequency
  uint64_t frequency = 0;      // profile:hz:N
  uint64_t sample_period = 0;  // software, hardware; 0: the family's default
  std::string period_text;     // what stands for these three in an object: "s:$1"
  uint32_t length = 0;         // watchpoint: bytes,
  std::string mode;            // and what is done to them: of r, w and x
  // watchpoint: the address is this argument of the function `target`; and the process goes on
  // before it is watched.
  std::optional<uint32_t> watched_argument;
  bool is_async = false;
  bool has_wildcard = false;
  std::optional<uint32_t> argument_count;  // usdt: of the place that has most; null: not known here
  bool is_demangled = false;               // uprobe: `target` is a C++ name as it is written
  std::string source_file;  // uprobe: a statement instead of a function; column 0: the first
  uint32_t source_line = 0, source_column = 0;
  // uprobe, uretprobe: per member of args_type, and whose debug information says so.
  std::vector<UserArgumentPlace> argument_places;
  std::string build_id;
  TypeRef args_type =
      nullptr;  // struct type of `args` (any origin that is_arguments() names); null: none
  TypeRef packet_type = nullptr;  // struct type of `pkt`; null: none
  TypeRef retval_type = nullptr;  // null: no retval
  std::string retval_problem;     // why it cannot be read; empty: it can
  TypeRef entry_type = nullptr;   // of `entry`: a struct of origin kEntryArguments; null: not used
};

const char *family_name(ProbeFamily family);  // "tracepoint"

// Whether the probe fires where something ends that has begun before: it has `duration`, `entry`.
bool is_exit_probe(const ProbeSpec &spec);
// A watchpoint on memory of a process. Addresses of the kernel are the upper half on all
// architectures.
bool is_user_watchpoint(const ProbeSpec &spec);

}  // namespace awl::frontend
