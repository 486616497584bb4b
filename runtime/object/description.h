// The object's description: what stands as JSON in the ELF section `.awl`, beside the programs,
// maps and BTF that every loader knows. The one contract between compile time and run time.
//
// It is input from outside: parse_description() checks every field, and the loader checks what it
// says against the ELF file. docs/object-format.md explains it for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/object/value_type.h"

namespace awl::object {

inline constexpr int kDescriptionVersion = 1;
inline constexpr const char *kSectionName = ".awl";

// Names of the maps and variables that every object may hold besides the script's own maps.
// Maps of the script are named "m_<name without @>"; the unnamed `@` is "m_".
inline constexpr const char *kOutputRing = "awl_output";    // BPF_MAP_TYPE_RINGBUF: records
inline constexpr const char *kControlRing = "awl_control";  // BPF_MAP_TYPE_RINGBUF: control records
inline constexpr const char *kLostMap =
    "awl_lost";  // PERCPU_ARRAY u64, index: program: output records not sent
inline constexpr const char *kErrorMap =
    "awl_errors";  // PERCPU_ARRAY u64, index: ErrorSite: how often
inline constexpr const char *kScratchMap = "awl_scratch";  // PERCPU_ARRAY of scratch slots
inline constexpr const char *kProbeNamesMap =
    "awl_probe_names";  // ARRAY char[kProbeNameSize], index: probe id
inline constexpr uint32_t kProbeNameSize = 128;
inline constexpr const char *kEntriesPrefix =
    "awl_entries_";  // HASH or LRU_HASH, + number of an exit program
inline constexpr const char *kNextProgramsMap =
    "awl_next_programs";  // PROG_ARRAY; see kNextProgram
// Frames by stack id, STACK_TRACE; a script has at most one per kind and limit, which stands behind
// the name. The last holds `struct bpf_stack_build_id`s.
inline constexpr const char *kKernelStacksPrefix = "awl_kstacks_",
                            *kUserStacksPrefix = "awl_ustacks_",
                            *kBuildIdStacksPrefix = "awl_bstacks_";
// Variables in .rodata which the loader sets before load. All are 8 bytes, but string parameters
// (char[kParameterStringSize]).
inline constexpr const char *kPidFilterVariable =
    "awl_pid";  // u64 tgid as seen in our pid namespace; 0: no filter
inline constexpr const char *kSampledPidVariable =
    "awl_sampled_pid";  // likewise; where nothing fires for a reason:
                        // samples, counters
inline constexpr const char *kSelfPidVariable = "awl_self";    // u64 tgid of the tracer
inline constexpr const char *kChildPidVariable = "awl_cpid";   // u64; 0: none
inline constexpr const char *kCpuCountVariable = "awl_ncpus";  // u64
inline constexpr const char *kWallClockVariable =
    "awl_wall_clock";  // i64 ns from CLOCK_BOOTTIME to CLOCK_REALTIME
inline constexpr const char *kStartTimeVariable =
    "awl_start";  // u64 ns CLOCK_BOOTTIME: `elapsed` counts from here
inline constexpr const char *kParameterCountVariable = "awl_nparams";  // u64: $#
inline constexpr const char *kParameterPrefix =
    "awl_param_";  // + index in `parameters`: u64 or char[]
inline constexpr const char *kPidNamespaceDev =
    "awl_pidns_dev";  // u64; 0: ids of the initial namespace
inline constexpr const char *kPidNamespaceIno = "awl_pidns_ino";
inline constexpr uint32_t kParameterStringSize = 256;
// Kernel symbols: `kaddr("x")` is u64 .rodata variable "awl_kaddr_x"; cgroupid("path") is
// "awl_cgroup_<index in cgroups>". Of a kfunc, u64 "awl_kfunc_<name>" says whether the kernel has
// it and "awl_kfunc_<name>_<program>" whether that program may call it.

// Where in the script something stands, to be quoted in messages.
struct Location {
  uint32_t line = 0, column = 0;          // from 1
  uint32_t end_line = 0, end_column = 0;  // one past the last column
};

// Every record in a ring starts with this.
struct RecordHeader {
  uint32_t event;    // index in Description::events
  uint32_t program;  // index in Description::programs
};
// A control record adds to it how much had been written to the output ring, so that the runtime
// can keep both in order: the control record comes after all output records that start before.
struct ControlHeader {
  RecordHeader record;
  uint64_t output_position;  // bpf_ringbuf_query(BPF_RB_PROD_POS) of the output ring
};

enum class EventKind : uint8_t {
  // output ring: RecordHeader, then `arguments`
  kPrintf,
  kErrorf,
  kWarnf,
  kCat,
  kSystem,      // `format` with `arguments`
  kPrintValue,  // one argument
  kJoin,        // `format` is the separator; argument 0: u32 count; then strings (see fields)
  kTime,        // `format` for strftime
  // control ring: ControlHeader, then `arguments`
  kExit,      // argument 0: i64 exit code
  kPrintMap,  // `map`; argument 0: u64 top (0: all), argument 1: u64 div (0: 1)
  kClear,
  kZero,          // `map`
  kRuntimeError,  // argument 0: u32 ErrorSite index, argument 1: i64 result of the helper
  kSkboutput,     // in the output ring: `format` is the file's path; see pcap_writer.h
  kUnwatch,
  kWatch,  // arguments: u64 address, u64 tgid, u64 whether the process was stopped for it
};

struct Event {
  EventKind kind = EventKind::kPrintf;
  std::string format;
  std::vector<Field> arguments;  // offsets from the start of the record (header included)
  uint32_t size = 0;             // bytes of the whole record
  int32_t map = -1;              // index in Description::maps
  Location location;
};

enum class MapType : uint8_t { kHash, kArray, kPercpuHash, kPercpuArray, kLruHash, kPercpuLruHash };

struct Map {
  std::string name;      // as the script says: "@x"
  std::string elf_name;  // the symbol in .maps
  MapType type = MapType::kHash;
  ValueType key;  // kVoid: scalar (an array of one element, key u32 0)
  ValueType value;
  uint32_t key_size = 0, value_size = 0;  // bytes in the kernel map
  // Scalar maps are arrays and always exist: they are "set" when this flag is in the value's last
  // 8 bytes; see docs/object-format.md.
  bool is_scalar = false;
  // Histograms keyed by bucket: the last 8 bytes of the key are the bucket, the value a u64 count.
  bool is_bucket_keyed = false;
  Location location;  // its declaration, else its first use
};

// What the code for an argument of a usdt probe is told, as its place in the note says:
//   value = (base & base_mask) + ((index & index_mask) << scale) + (high << 32 | low)
//   value = memory ? `size` bytes of user memory at value : value >> first_bit
//   value = value << shift >> shift, arithmetically when `signed`
// base and index are loads of registers from the context, whose offset is patched.
inline constexpr const char *kUsdtFields[] = {"base",  "base_mask", "index", "index_mask",
                                              "scale", "low",       "high",  "memory",
                                              "size",  "first_bit", "shift", "signed"};

// How a program is told where a symbol of the traced binary lies: as the distance from the place
// that is traced, and as the address that the file says, for files that are not moved.
enum UserSymbolPart : uint32_t {
  kDistanceLow,
  kDistanceHigh,
  kAddressLow,
  kAddressHigh,
  kUserSymbolParts
};

// A part of a program to be patched before it is loaded.
struct Relocation {
  enum class Kind : uint8_t {
    kTracepointField,  // off (loads) or imm (adds) of the instruction: offset of `field`
    kProbeId,          // imm: the probe id, or ~0u: "ask for the attach cookie"
    kUsdtArgument,     // off (loads) or imm: `field` of argument `argument` of a usdt probe
    kUserSymbol,       // imm: part `argument` (UserSymbolPart) of the address of the symbol `field`
    kFunctionArgument,  // as kTracepointField: where the argument `field` of the traced kernel
                        // function lies; that of "return" is the returned value's
    kLinkHeader,        // imm: bytes before the network layer in packets of the interface
    kNextProgram,  // imm: index in kNextProgramsMap of who comes next on the interface; -1: nobody
    kSession,      // imm: 1 where the program is attached to entries too (a session), else 0; of a
                   // call: that of the kernel's function `field`, made only then
  };
  Kind kind = Kind::kProbeId;
  uint32_t instruction = 0;  // index in the program's section
  bool is_in_text = false;   // the index is one in .text instead: a callback of this program
  std::string field;         // kUsdtArgument: one of kUsdtFields
  uint32_t size = 0;         // bytes of the field that the code was compiled for
  uint32_t argument = 0;     // kUsdtArgument: N of argN; kUserSymbol: UserSymbolPart
  bool is_add = false;       // patch imm, not off
  int32_t built_value = 0;   // what stands there
};

inline constexpr int32_t kEthernetHeader = 14;  // bytes; kLinkHeader's value when left alone

// What calls of kSession name: bool bpf_session_is_return(void *ctx), u64 *bpf_session_cookie(void
// *ctx).
inline constexpr const char *kSessionIsReturn = "bpf_session_is_return";
inline constexpr const char *kSessionCookie = "bpf_session_cookie";
inline constexpr int32_t kNoHelper =
    1 << 30;  // what is called where nothing was patched: never reached

// A pattern to attach to; see frontend/probes/probe.h for the meaning of the fields.
struct AttachPoint {
  std::string family;  // "begin", "end", "self", "interval", "profile", "software", "hardware",
                       // "tracepoint", "rawtracepoint", "uprobe", "uretprobe", "kprobe", …
  std::string name;    // canonical text
  std::string category, target, binary;
  uint64_t offset = 0, address = 0, period_ns = 0, frequency = 0, sample_period = 0;
  std::string period_text;  // what stands for the last three while it has parameters in it: "s:$1"
  uint32_t length = 0;      // watchpoint: bytes,
  std::string mode;         // and what is done to them: of r, w and x
  bool has_address = false, has_wildcard = false;
  bool is_demangled = false;  // `target` is a C++ name as it is written, not a symbol
  // A statement of the source instead of a function; column 0: the line's first.
  std::string source_file;
  uint32_t source_line = 0, source_column = 0;
  // Of the binary whose debug information says where the arguments are; empty: any will do.
  std::string build_id;
  Location location;
};

struct Program {
  std::string name;                        // the function's symbol
  std::string section;                     // ELF section, as libbpf names it
  std::vector<AttachPoint> attach_points;  // of one family
  bool uses_probe_id = false;
  // Keeps what the next program, of exits, wants to know of the entries: no probe of its own.
  bool is_entry = false;
  // A program for `tracepoint:syscalls:sys_enter_*` or `…sys_exit_*` that is attached to the raw
  // tracepoint: `dispatch` is the u32[kSyscallTableSize][dispatch_columns] variable in .rodata
  // whose column `dispatch_column` holds, per syscall number, probe id + 1, or 0 for "not traced".
  // Where programs share a table, column 0 is none of theirs: not 0 where any column is not.
  std::string dispatch;
  uint32_t dispatch_columns = 1;
  uint32_t dispatch_column = 0;
  bool is_override = false;  // returns in the place of the traced function: one kprobe a link
  std::vector<Relocation> relocations;
};
inline constexpr uint32_t kSyscallTableSize = 512;
inline constexpr uint32_t kMostDispatchColumns = 256;  // a program has no more functions

// kPrinted: a string to be printed, a number as its decimal digits.
enum class ParameterKind : uint8_t { kInteger, kString, kBool, kPrinted };
struct Parameter {
  std::string name;
  bool is_positional = true;
  ParameterKind kind = ParameterKind::kInteger;
  int64_t default_integer = 0;
  std::string default_string;
  std::string description;
};

// A place where a helper can fail or a value be lost: counted in awl_errors, reported at the end
// or, with -k, at once.
struct ErrorSite {
  std::string what;                // "probe_read_user_str", "map update", "division by zero", …
  bool is_always_reported = true;  // false: only with -k (failed reads)
  Location location;
};

struct Settings {
  uint64_t perf_rb_pages = 0, max_cat_bytes = 10240, max_probes = 1024, log_size = 1000000;
  std::string str_trunc_trailer = "..", missing_probes = "error", cache_user_symbols,
              stack_mode = "bpftrace";
  bool print_maps_on_exit = true, cpp_demangle = true, lazy_symbolication = false,
       show_debug_info = false;
  bool needs_unsafe =
      false;  // the script calls an unsafe function: the runner must be told --unsafe
};

struct Description {
  int version = kDescriptionVersion;
  std::string script_name;  // "stdin" for -e
  std::string script_text;
  std::vector<Program> programs;
  std::vector<Map> maps;
  std::vector<Event> events;
  std::vector<Parameter> parameters;
  std::vector<ErrorSite> error_sites;
  std::vector<std::string> kernel_symbols;  // of kaddr
  std::vector<std::string> cgroups;         // of cgroupid
  std::vector<std::string> kfuncs;          // of kfunc_exist and kfunc_allowed
  Settings settings;
};

// The JSON text of a description.
std::string write_description(const Description &description);
// Reads and checks one: version, ranges of indices, sizes and offsets inside their record, depth.
Result<Description> parse_description(const std::string &json);

}  // namespace awl::object
