// Programs: from a clause and its attach points to BPF programs with their prologue.
//
//   dispatch by syscall number ─▶ pid filter (-p) ─▶ predicate ─▶ body
//
// Syscall tracepoints hang on the raw tracepoints sys_enter and sys_exit, attached once for any
// number of syscalls: a table in .rodata says which are traced, and under which probe id.
#include <llvm/IR/Constants.h>

#include <algorithm>
#include <cctype>

#include "codegen/lower.h"

namespace awl::codegen {

namespace {

using frontend::ProbeSpec;

// Whether a pattern can match names that start with `prefix`.
bool may_match(const std::string &pattern, std::string_view prefix) {
  std::string_view fixed = std::string_view(pattern).substr(0, pattern.find_first_of("*?["));
  if (fixed.size() == pattern.size()) return fixed.starts_with(prefix);
  return fixed.starts_with(prefix) || prefix.starts_with(fixed);
}

bool is_kind(const ProbeSpec &probe, ProgramKind kind) {
  if (probe.family == ProbeFamily::kSyscall) {
    return kind == (is_exit_probe(probe) ? ProgramKind::kSyscallExit : ProgramKind::kSyscallEnter);
  }
  bool is_syscall = probe.family == ProbeFamily::kTracepoint && probe.category == "syscalls";
  bool is_enter = is_syscall && may_match(probe.target, "sys_enter_");
  bool is_exit = is_syscall && may_match(probe.target, "sys_exit_");
  switch (kind) {
    case ProgramKind::kSyscallEnter:
      return is_enter;
    case ProgramKind::kSyscallExit:
      return is_exit;
    case ProgramKind::kPlain:
      return !is_enter && !is_exit;
  }
  return false;
}

// A section for functions of the kernel, with the name of the one that others may attach it to.
std::string function_section(const ProbeSpec &probe, bool is_exact) {
  std::string family = frontend::family_name(probe.family);
  bool is_named = is_exact && !probe.target.empty() && probe.offset == 0 &&
                  (probe.category.empty() || probe.category == "vmlinux");
  return is_named ? family + "/" + probe.target : family;
}

std::string section_name(ProgramKind kind, const std::vector<const ProbeSpec *> &probes) {
  if (kind == ProgramKind::kSyscallEnter) return kEnterSection;
  if (kind == ProgramKind::kSyscallExit) return kExitSection;
  const ProbeSpec &probe = *probes.front();
  bool is_exact = probes.size() == 1 && !probe.has_wildcard;
  switch (probe.family) {
    case ProbeFamily::kBegin:
    case ProbeFamily::kEnd:
    case ProbeFamily::kSelf:
    case ProbeFamily::kTest:
    case ProbeFamily::kBench:
      return "raw_tp";
    case ProbeFamily::kInterval:
    case ProbeFamily::kProfile:
    case ProbeFamily::kSoftware:
    case ProbeFamily::kHardware:
    case ProbeFamily::kWatchpoint:
      return "perf_event";
    case ProbeFamily::kTracepoint:
      return is_exact ? "tracepoint/" + probe.category + "/" + probe.target : "tracepoint";
    case ProbeFamily::kRawTracepoint:
      return is_exact ? "raw_tp/" + probe.target : "raw_tp";
    case ProbeFamily::kUprobe:
    case ProbeFamily::kUsdt:
      return "uprobe";
    case ProbeFamily::kUretprobe:
      return "uretprobe";
    case ProbeFamily::kKprobe:
    case ProbeFamily::kKretprobe:
    case ProbeFamily::kFentry:
    case ProbeFamily::kFexit:
      return function_section(probe, is_exact);
    case ProbeFamily::kIter:
      return "iter/" + probe.target;
    case ProbeFamily::kLsm:
      return "lsm/" + probe.target;
    case ProbeFamily::kXdp:
      return "xdp";
    case ProbeFamily::kTc:
      return "tc";
    case ProbeFamily::kCgroupSkb:
      return "cgroup_skb/" + probe.category;
    case ProbeFamily::kSockOps:
      return "sockops";
    case ProbeFamily::kCgroupSockAddr:
      return "cgroup/" + probe.category;
    case ProbeFamily::kSyscall:
      break;  // by kind
  }
  return "raw_tp";
}

// What entries of an exit's family are attached as.
ProbeSpec entry_spec(ProbeSpec probe) {
  switch (probe.family) {
    case ProbeFamily::kSyscall:
      probe.category = "enter";
      break;
    case ProbeFamily::kUretprobe:
      probe.family = ProbeFamily::kUprobe;
      break;
    case ProbeFamily::kKretprobe:
      probe.family = ProbeFamily::kKprobe;
      break;
    case ProbeFamily::kFexit:
      probe.family = ProbeFamily::kFentry;
      break;
    case ProbeFamily::kWatchpoint:
      probe.family = ProbeFamily::kUprobe;
      break;
    default:
      break;
  }
  return probe;
}

// A symbol that says what the program is for, unique by its number.
std::string program_name(const ProbeSpec &probe, uint32_t number) {
  constexpr size_t kMaxName = 48;
  std::string name = frontend::family_name(probe.family);
  for (const std::string *part : {&probe.category, &probe.target}) {
    if (!part->empty()) name += "_" + *part;
  }
  if (name.size() > kMaxName) name.resize(kMaxName);
  name += "_" + std::to_string(number);
  for (char &c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

object::AttachPoint describe(Emitter &emitter, const ProbeSpec &probe) {
  object::AttachPoint point;
  point.family = frontend::family_name(probe.family);
  point.name = probe.name;
  point.category = probe.category;
  point.target = probe.target;
  point.binary = probe.binary;
  point.offset = probe.offset;
  point.address = probe.address;
  point.period_ns = probe.period_ns;
  point.frequency = probe.frequency;
  point.sample_period = probe.sample_period;
  point.period_text = probe.period_text;
  point.has_address = probe.has_address;
  point.length = probe.length;
  point.mode = probe.mode;
  point.has_wildcard = probe.has_wildcard;
  point.is_demangled = probe.is_demangled;
  point.source_file = probe.source_file;
  point.source_line = probe.source_line;
  point.source_column = probe.source_column;
  point.build_id = probe.build_id;
  if (probe.attach_point) point.location = emitter.location(probe.attach_point->span);
  return point;
}

}  // namespace

Lowering::Lowering(Emitter &emitter, const frontend::CheckedProgram &program)
    : e_(emitter), program_(program) {
  for (const MapInfo &info : program.maps) maps_.emplace(info.name, &info);
}

void Lowering::lower_program(const ProgramInfo &info) {
  for (ProgramKind kind :
       {ProgramKind::kPlain, ProgramKind::kSyscallEnter, ProgramKind::kSyscallExit}) {
    std::vector<const ProbeSpec *> probes;
    for (const ProbeSpec &probe : info.probes) {
      if (is_kind(probe, kind)) probes.push_back(&probe);
    }
    if (!probes.empty()) emit_program(info, kind, probes);
  }
}

void Lowering::emit_program(const ProgramInfo &info, ProgramKind kind,
                            const std::vector<const ProbeSpec *> &probes) {
  info_ = &info;
  kind_ = kind;
  entry_values_.clear();

  ast::Clause &clause = *info.clause;
  Span span = clause.attach_points.empty() ? clause.span : clause.attach_points.front()->span;
  EntryUse entry = find_entry_use(info);
  if (entry.is_used) emit_entry_program(kind, probes, entry);
  if (probes.front()->watched_argument) emit_watch_program(*probes.front());
  begin_described_program(probes, span, /*is_entry=*/false);
  if (entry.is_used) begin_session(entry);
  if (frontend::is_network(family())) begin_network_program(clause, probes.front()->category);
  emit_filters();
  if (kind == ProgramKind::kPlain && info.uses_probe_name) shared_probe_ = e_.probe_id();
  if (entry.is_used) take_entry(entry);
  if (family() == ProbeFamily::kIter) leave_at_end_of_iteration();
  if (clause.predicate) {
    e_.set_location(clause.predicate->span);
    leave_if(b().CreateNot(condition(*clause.predicate)));
    release(0);
  }
  e_.end_predicate();
  has_parts_ = is_long(clause);
  if (has_parts_) {
    e_.use_scratch_only();
    programs_in_parts_.insert(e_.program_index());
  }
  block(clause.body->statements);
  has_parts_ = false;
  e_.set_location(span);
  e_.end_program();
}

void Lowering::begin_described_program(const std::vector<const ProbeSpec *> &probes, Span span,
                                       bool is_entry) {
  std::vector<ProbeSpec> entries;
  std::vector<const ProbeSpec *> used = probes;
  for (const ProbeSpec *probe : probes) entries.push_back(is_entry ? entry_spec(*probe) : *probe);
  for (size_t i = 0; i < entries.size(); ++i) used[i] = &entries[i];
  std::string name = program_name(*used.front(), program_count_++);
  program_spans_.push_back(span);
  function_ = {};
  slots_.clear();
  pairs_.clear();
  last_constants_.clear();
  aligned_.clear();
  packet_ = {};
  shared_probe_ = record_memory_ = nullptr;
  e_.begin_program(name, section_name(kind_, used), span);
  object::Program &description = e_.description().programs.back();
  for (const ProbeSpec *probe : used) {
    description.attach_points.push_back(describe(e_, *probe));
    bool is_kprobe =
        probe->family == ProbeFamily::kKprobe || probe->family == ProbeFamily::kKretprobe;
    // At a bare address.
    if (is_kprobe && probe->has_address) e_.description().settings.needs_unsafe = true;
  }
  description.is_entry = is_entry;
  ctx_ = e_.ctx();
  const ProbeFamily attached = used.front()->family;
  if (attached == ProbeFamily::kUprobe || attached == ProbeFamily::kUretprobe ||
      attached == ProbeFamily::kUsdt)
    e_.stay_on_stack_of_thread();
}

// -p filters events of these; the others are attached to the process, or have none.
bool Lowering::is_filtered_by_pid() const {
  switch (family()) {
    case ProbeFamily::kTracepoint:
    case ProbeFamily::kRawTracepoint:
    case ProbeFamily::kSyscall:
    case ProbeFamily::kLsm:
    case ProbeFamily::kKprobe:
    case ProbeFamily::kKretprobe:
    case ProbeFamily::kFentry:
    case ProbeFamily::kFexit:
    case ProbeFamily::kProfile:
    case ProbeFamily::kSoftware:
    case ProbeFamily::kHardware:
    case ProbeFamily::kCgroupSockAddr:
      return true;
    default:
      return false;
  }
}

// Which events go on: of system calls those in the program's table, of others those of -p, and of
// samples, which are taken of whatever runs, those of -c likewise.
void Lowering::emit_filters() {
  if (kind_ != ProgramKind::kPlain) {
    emit_syscall_dispatch("awl_dispatch_" + std::to_string(program_count_ - 1));
  } else if (is_filtered_by_pid()) {
    const bool is_sample = family() == ProbeFamily::kProfile ||
                           family() == ProbeFamily::kSoftware || family() == ProbeFamily::kHardware;
    unless_wanted_process(is_sample ? object::kSampledPidVariable : object::kPidFilterVariable,
                          [this](llvm::Value *is_other) { leave_if(is_other); });
  }
}

void Lowering::return_if(llvm::Value *condition) {
  if_then(condition, [this] {
    e_.emit_return(e_.i64(0));
    b().SetInsertPoint(e_.new_block("unreachable"));
  });
}

// Emits `leave`, told whether the variable names another process than the one that runs; where it
// is 0 the verifier drops all of it.
void Lowering::unless_wanted_process(const char *variable,
                                     const std::function<void(llvm::Value *)> &leave) {
  llvm::Value *wanted = e_.load_variable(variable);
  if_then(b().CreateICmpNE(wanted, e_.i64(0)), [&] {
    llvm::Function *differs =
        shared_function(std::string(variable) + "_differs", {}, [&](llvm::Function *) {
          llvm::Value *tgid = b().CreateLShr(pid_tgid(false), 32);
          e_.emit_return(b().CreateSub(tgid, e_.load_variable(variable)));
        });
    leave(b().CreateICmpNE(b().CreateCall(differs), e_.i64(0)));
  });
}

// The address of what a table of system calls has for the one that is made. Returns where there is
// nothing.
llvm::Value *Lowering::dispatch_row(llvm::Value *table, uint32_t columns) {
  llvm::Value *number = opaque(syscall_number());
  return_if(b().CreateICmpUGE(number, e_.i64(object::kSyscallTableSize)));
  return b().CreateGEP(b().getInt32Ty(), table, b().CreateMul(number, e_.i64(columns)));
}

// Volatile: what the loader puts there is not known here.
llvm::Value *Lowering::dispatch_entry(llvm::Value *row, uint32_t column) {
  llvm::Value *from = b().CreateConstInBoundsGEP1_64(b().getInt32Ty(), row, column);
  return b().CreateZExt(
      b().CreateAlignedLoad(b().getInt32Ty(), from, llvm::Align(4), /*isVolatile=*/true),
      b().getInt64Ty());
}

// Returns from calls of 32-bit programs, as the kernel's own tracepoints do, and of other processes
// than that of -p.
void Lowering::leave_unwanted_calls() {
  return_if(is_compat_syscall());
  unless_wanted_process(object::kPidFilterVariable,
                        [this](llvm::Value *is_other) { return_if(is_other); });
}

// The shared function gives the call's entry in the table: the probe's id + 1, or 0 for a system
// call that is not traced here.
void Lowering::emit_syscall_dispatch(const std::string &name) {
  const char *function_name =
      kind_ == ProgramKind::kSyscallEnter ? "awl_traced_enter" : "awl_traced_exit";
  llvm::Function *dispatch =
      shared_function(function_name, {"ctx", "table"}, [this](llvm::Function *function) {
        llvm::Value *probe = dispatch_entry(dispatch_row(function->getArg(1), 1), 0);
        return_if(b().CreateICmpEQ(probe, e_.i64(0)));
        leave_unwanted_calls();
        e_.emit_return(probe);
      });
  e_.description().programs.back().dispatch = name;
  llvm::CallInst *probe = b().CreateCall(dispatch, {ctx_, e_.dispatch_table(name, 1)});
  dispatch_calls_[program_count_ - 1] = probe;
  leave_if(b().CreateICmpEQ(probe, e_.i64(0)));
  shared_probe_ = b().CreateSub(probe, e_.i64(1));
}

}  // namespace awl::codegen
