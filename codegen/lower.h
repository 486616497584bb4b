// Lowering: the checked AST of one script, emitted through an Emitter.
//
// A value of a register type (integers, pointers, symbols, times: anything of at most 8 bytes that
// is not composite) is an i64, always extended as its type says, so that comparing and converting
// need no case analysis. A value of any other type is a pointer to BPF memory that holds it.
// Such memory is *clean*: what a string does not use after its NUL and what lies between the
// fields of a tuple is zero, so that values can be map keys and be compared as bytes.
//
// The class holds the state of the program under construction: slots of variables, temporaries,
// targets of break and continue. Each lower_*.cpp implements one part of it.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "codegen/emitter.h"
#include "frontend/ast/ast.h"
#include "frontend/checked_program.h"
#include "frontend/probes/network.h"

namespace awl::codegen {

namespace ast = frontend::ast;
using frontend::AddressSpace;
using frontend::MapInfo;
using frontend::ProbeFamily;
using frontend::ProgramInfo;
using frontend::Span;
using frontend::StructDef;
using frontend::TypeKind;
using frontend::TypeRef;

// Which kernel hook a BPF program is for: one ProgramInfo gives one program per kind that its
// attach points need.
enum class ProgramKind { kPlain, kSyscallEnter, kSyscallExit };
inline constexpr const char *kEnterSection = "tp_btf/sys_enter";
inline constexpr const char *kExitSection = "tp_btf/sys_exit";

// The members of `args` are not in memory: each family has its own way to them.
bool is_arguments(TypeRef type);

// Whether values of the type are held in memory (else in an i64).
bool is_in_memory(TypeRef type);

// Where a struct member, array element or dereferenced pointer lies: a base and the members still
// to be added to it, so that a chain `a.b.c` inside one object costs one read.
struct Place {
  llvm::Value *base = nullptr;  // ptr when `space` is kBpf, else i64
  AddressSpace space = AddressSpace::kKernel;
  frontend::MemberPath path;  // not yet added
  TypeRef type = nullptr;
  llvm::Value *is_inside = nullptr;  // i1: all indices on the way are; null: known to be
  const StructDef::Member *bitfield() const {
    return !path.members.empty() && path.members.back()->bit_size ? path.members.back() : nullptr;
  }
};

// What has been found of the packet that the program under construction runs for.
struct Packet {
  struct Part {
    llvm::Value *memory = nullptr;      // the header as it travels; zero: there is none
    llvm::Value *is_present = nullptr;  // i64
  };
  std::array<Part, frontend::kPacketHeaders> parts;  // of the headers in use
  // i64: bytes; number of what the network layer holds; offset of what comes after the headers;
  // where the network layer says that it ends. Null when the script has no use for the packet.
  llvm::Value *length = nullptr, *protocol = nullptr, *payload = nullptr, *end = nullptr;

  std::vector<llvm::Value **> values();  // all that are there, for callbacks
};

class Lowering {
 public:
  Lowering(Emitter &emitter, const frontend::CheckedProgram &program);

  // Emits all BPF programs of one ProgramInfo.
  void lower_program(const ProgramInfo &info);
  // When all are lowered: makes one program of those on system calls; see lower_syscall_group.cpp.
  void group_syscall_programs();

  Emitter &emitter() { return e_; }
  llvm::IRBuilder<> &b() { return e_.b(); }
  const frontend::CheckedProgram &program() const { return program_; }
  const ProgramInfo &info() const { return *info_; }
  ProbeFamily family() const { return info_->probes.front().family; }

  // ---- expressions (lower_expression.cpp)
  // The value of an expression; null for void. One that lives in memory may be made at `to`
  // (clean memory of the type's size is not required); where the result lies is what is returned.
  llvm::Value *value(ast::Expr &expr, llvm::Value *to = nullptr);
  // Evaluates into memory at `to`, which holds `type`.
  void store(ast::Expr &expr, llvm::Value *to);
  llvm::Value *condition(ast::Expr &expr);  // i1: "not zero"
  // An i64 that is extended as values of the type are.
  llvm::Value *normalize(llvm::Value *value, TypeRef type);
  llvm::Value *convert(llvm::Value *value, TypeRef from, TypeRef to, Span span,
                       llvm::Value *destination = nullptr);
  llvm::Value *divide(llvm::Value *left, llvm::Value *right, bool is_signed, bool is_modulo,
                      Span span);
  // Whether two values of in-memory types are equal, as i1.
  llvm::Value *equal(llvm::Value *left, TypeRef left_type, llvm::Value *right, TypeRef right_type);

  // ---- memory (lower_memory.cpp)
  llvm::Value *load(llvm::Value *pointer, TypeRef type, uint32_t offset = 0);
  llvm::Value *load_word(llvm::Value *from, TypeRef type, uint32_t alignment);
  void store_value(llvm::Value *value, TypeRef type, llvm::Value *to);
  llvm::Value *at(llvm::Value *pointer, uint64_t offset);  // pointer + offset
  Place place(ast::Expr &expr);
  Place dereference(llvm::Value *address, TypeRef pointee, AddressSpace space);
  bool extend(Place &place, std::string_view member);
  // Of a member of a struct at a pointer that may be followed directly.
  llvm::Value *field_address(llvm::Value *base, const frontend::MemberPath &path);
  llvm::Value *address(const Place &place);  // ptr in kBpf, else i64
  llvm::Value *read(const Place &place, Span span, llvm::Value *to = nullptr);
  // Reads an integer of at most 8 bytes from kernel or user memory, zero-extended.
  llvm::Value *read_word(llvm::Value *address, uint32_t size, AddressSpace space, Span span);
  void read_bytes(llvm::Value *to, uint32_t size, llvm::Value *from, AddressSpace space, Span span);
  // Reads a string of at most `limit` bytes (i64, NUL included; null: all of `size`) into clean
  // memory.
  llvm::Value *read_string(llvm::Value *address, uint32_t size, llvm::Value *limit,
                           AddressSpace space, Span span, llvm::Value *to);
  // `size` (i32, at most `most`) bytes of an array, or from an address, as they are. How many there
  // were: of a packet there may be fewer.
  llvm::Value *raw_bytes(ast::Expr &from, llvm::Value *size, uint32_t most, llvm::Value *to);
  llvm::Value *pointer(llvm::Value *address);  // i64 → ptr
  // As Emitter's, but for memory that may lie anywhere in a tuple.
  void zero(llvm::Value *pointer, uint64_t size);
  void copy(llvm::Value *to, llvm::Value *from, uint64_t size);
  llvm::Value *allocate(uint64_t size, const std::string &name);
  // Memory for the rest of the statement.
  llvm::Value *temporary(uint64_t size);
  llvm::Value *temporary(TypeRef type, llvm::Value *to);  // `to` when it is given
  bool is_record_memory(llvm::Value *to) const { return to && to == record_memory_; }

  // A value that is wanted after something else is computed: where the stack is short it is put
  // away meanwhile.
  struct Kept {
    llvm::Value *value = nullptr;
    llvm::Value *slot = nullptr;  // null: it stays where it is
  };
  Kept keep(llvm::Value *value);
  llvm::Value *take(const Kept &kept);
  // The values of two operands, the left one computed first.
  std::pair<llvm::Value *, llvm::Value *> both(ast::Expr &left, ast::Expr &right);

  // ---- strings (lower_string.cpp)
  llvm::Value *literal(const std::string &text, uint32_t size);
  // Memory of ours that a builtin found, at a multiple of 8.
  void note_aligned(const llvm::Value *pointer) { aligned_.insert(pointer); }
  void copy_string(llvm::Value *to, uint32_t to_size, llvm::Value *from, uint32_t from_size);
  llvm::Value *equal_strings(llvm::Value *left, uint32_t left_size, llvm::Value *right,
                             uint32_t right_size);
  llvm::Value *equal_to_text(llvm::Value *string, uint32_t size, const std::string &text);
  llvm::Value *equal_bytes(llvm::Value *left, llvm::Value *right, uint64_t size);
  // The difference at the first byte that differs, 0 for none; as i64.
  llvm::Value *compare_strings(ast::Expr &left, ast::Expr &right, uint64_t limit);
  llvm::Value *compare_memory(llvm::Value *left, llvm::Value *right, uint64_t size,
                              bool ends_at_nul, llvm::Value *limit = nullptr);
  // Where one string stands in another; -1: nowhere.
  llvm::Value *find_string(llvm::Value *text, uint32_t text_size, llvm::Value *wanted,
                           uint32_t wanted_size);
  llvm::Value *stands_at(llvm::Value *text, llvm::Value *start, llvm::Value *wanted,
                         uint32_t wanted_size);
  llvm::Value *load_byte(llvm::Value *pointer, llvm::Value *index);
  llvm::Value *string_length(llvm::Value *string, uint32_t size);
  uint64_t known_alignment(llvm::Value *pointer) const;
  // The text of a probe id (lower_context.cpp).
  llvm::Value *probe_text(llvm::Value *id);

  // ---- maps (lower_map.cpp)
  const MapInfo &map_info(const std::string &name) const;
  // Pointer to the key, null for scalar maps.
  llvm::Value *map_key(const MapInfo &info, ast::Expr *key);
  llvm::Value *map_value(const MapInfo &info, ast::Expr *key, Span span, llvm::Value *to = nullptr);
  void assign_map(const MapInfo &info, ast::Expr *key, ast::Expr &value, Span span);
  llvm::Value *delete_map(const MapInfo &info, ast::Expr *key, Span span, bool is_reported);
  llvm::Value *find_map(const MapInfo &info, llvm::Value *key);  // pointer to the value or null
  llvm::Value *map_length(const MapInfo &info);
  llvm::Value *inc_dec(ast::IncDec &node);
  int32_t map_index(const MapInfo &info);  // in the description

  // ---- aggregations (lower_aggregation.cpp)
  void aggregate(const MapInfo &info, ast::Expr *key, ast::Call &call, Span span);
  // The integer an aggregation stands for: over all CPUs, cast to i64.
  llvm::Value *read_aggregation(const MapInfo &info, llvm::Value *key);
  // The aggregation itself, summed over all CPUs into memory at `to`.
  llvm::Value *copy_aggregation(const MapInfo &info, llvm::Value *key, llvm::Value *to);

  // ---- output (lower_output.cpp)
  void emit_event(object::EventKind kind, const std::string &format,
                  const std::vector<ast::Expr *> &arguments, Span span);
  // `also` is done where there is room for the record.
  void emit_control(object::EventKind kind, const MapInfo *map,
                    const std::vector<llvm::Value *> &arguments, Span span,
                    const std::function<void()> &also = {});

  // ---- statements (lower_statement.cpp)
  void statement(ast::Stmt &stmt);
  void block(const std::vector<ast::Stmt *> &statements);
  // Leaves the program; what is emitted next is unreachable.
  void leave(llvm::Value *result = nullptr);
  llvm::Value *verdict(llvm::Value *result);
  // Memory of a variable.
  llvm::Value *variable_slot(const frontend::ast::VariableDecl *decl);
  llvm::Value *variable(ast::Variable &node);
  void assign_variable(ast::Variable &node, ast::Expr &value);

  // The value, hidden from LLVM's analyses: where the verifier has to see what LLVM would deduce.
  llvm::Value *opaque(llvm::Value *value);
  // A copy by an operation without effect. The verifier takes plain copies for one and the same,
  // and would remember on which side of a bound the original is; then the ways never join again,
  // and every comparison of the copy doubles them.
  llvm::Value *detached(llvm::Value *value);
  // The value, or `most` when it is larger, in a way that the verifier follows.
  llvm::Value *bounded(llvm::Value *value, uint64_t most);

  // ---- control flow
  void if_then(llvm::Value *condition, const std::function<void()> &then);
  // An i64 chosen by a condition.
  llvm::Value *choose(llvm::Value *condition, const std::function<llvm::Value *()> &then,
                      const std::function<llvm::Value *()> &otherwise);
  // A loop `for (i64 i = 0; i < count; i++)`; `body` returns an i1 "go on" or null for always.
  void count_loop(llvm::Value *count, const std::function<llvm::Value *(llvm::Value *)> &body);
  void jump(llvm::BasicBlock *block);  // branch, unless the block has ended
  // Runs `body` that often, by bpf_loop, as long as it gives "go on" (i1); it gets the number of
  // the round and the pointers anew.
  using Pointers = std::vector<llvm::Value *>;
  void callback_loop(uint32_t rounds, const Pointers &pointers,
                     const std::function<llvm::Value *(llvm::Value *, const Pointers &)> &body);

  // ---- context (lower_context.cpp)
  llvm::Value *context_argument(uint32_t index, Span span);  // argN
  llvm::Value *usdt_argument(uint32_t index, Span span);
  llvm::Value *user_argument(uint32_t index, TypeRef type, Span span, llvm::Value *to);
  llvm::Value *user_symbol_address(const std::string &name);
  llvm::Value *context_return();
  llvm::Value *context_register(const std::string &name);  // null: no such register
  llvm::Value *instruction_pointer();
  llvm::Value *context_field(const StructDef &def, uint32_t index, TypeRef type, Span span,
                             llvm::Value *to);
  // Whether the context is a kernel function's arguments, not registers.
  bool is_tracing() const {
    return family() == ProbeFamily::kFentry || family() == ProbeFamily::kFexit;
  }
  llvm::Value *probe_argument(const StructDef &def, uint32_t index, TypeRef type, Span span,
                              llvm::Value *to);
  llvm::Value *context_address(ast::FieldAccess &node);
  llvm::Value *context_fields(TypeRef type, Span span, llvm::Value *to);
  llvm::Value *context() { return ctx_; }
  // How many functions stand above the traced one in a stack that is taken here: of a system call's
  // program the program itself, bpf_trace_run2() and __bpf_trace_sys_enter(). A part is one more.
  uint64_t own_frames() const;
  llvm::Value *context_u64(uint32_t index);  // ctx[index]
  llvm::Value *probe_id();
  std::string probe_type_name() const;
  llvm::Value *pid_tgid(bool is_initial_namespace);  // u64 as bpf_get_current_pid_tgid

  // ---- entries, in exit programs (lower_entry.cpp)
  llvm::Value *entry_duration();
  llvm::Value *entry_word(const StructDef::Member &member);
  // ---- packets and contexts of network programs (lower_packet.cpp)
  // A field of `pkt` or of one of its headers, or one of `args` that lies in the context; null: the
  // node is none of these.
  llvm::Value *hook_field(ast::FieldAccess &node, llvm::Value *to);
  llvm::Value *packet_length();
  // Copies bytes of the packet; i1: whether there are so many. `to` stays as it is or becomes zero
  // when there are not.
  llvm::Value *read_packet(llvm::Value *to, llvm::Value *offset, uint32_t size);
  // Copies what there is of `wanted` bytes (i64, at most `most`); gives how many.
  llvm::Value *copy_packet(llvm::Value *to, llvm::Value *offset, llvm::Value *wanted,
                           uint32_t most);
  llvm::Value *context_word(uint32_t offset, uint32_t size = 4);
  // An integer of the machine as it travels, and back.
  llvm::Value *swap_to_network(llvm::Value *word);
  llvm::Value *network_word(llvm::Value *from, uint32_t size);  // loads, as i64
  llvm::Value *stack_memory(uint64_t size, const std::string &name);

  // ---- what the verifier lets programs follow (lower_iterator.cpp)
  // Whether the program's printf() writes to the readers of a pinned iterator, and how.
  bool is_pinned() const;
  // A value, or the address of one in memory, for a format that the kernel prints.
  llvm::Value *kernel_word(ast::Expr &argument);
  void print_to_readers(const std::string &format, const std::vector<ast::Expr *> &arguments,
                        Span span);
  // The text of a struct path that is reached from the context.
  llvm::Value *path_text(ast::Expr &expr, TypeRef type, Span span, llvm::Value *to);

  // ---- builtins (lower_builtin.cpp)
  llvm::Value *imported(ast::Call &call, const frontend::ImportedFunction &function);
  llvm::Value *builtin(ast::Expr &expr, const std::string &name,
                       std::vector<ast::Expr *> &arguments, llvm::Value *to);
  // Builtins that scripts may use but that are not lowered: the program is of no use then.
  const std::vector<std::string> &unsupported() const { return unsupported_; }

 private:
  struct Loop {
    llvm::BasicBlock *on_break, *on_continue;
  };
  // What belongs to one LLVM function.
  struct Function {
    std::vector<Loop> loops;
    std::multimap<uint64_t, llvm::Value *> free;            // temporaries by size
    std::vector<std::pair<uint64_t, llvm::Value *>> taken;  // in order
    bool is_callback = false;
    bool is_part = false;  // a callback that the program itself calls
  };
  // The variable of a `for` over a map: its key and value are used where they lie.
  struct Pair {
    llvm::Value *key = nullptr;  // as value() of the key's type
    llvm::Value *value = nullptr;
    TypeRef type = nullptr;
  };

  // What a clause asks of the entry of what it is attached to the exit of.
  struct EntryUse {
    bool is_used = false;
    bool has_duration = false;
    std::vector<uint32_t> words;  // arguments by number, sorted
    bool fits_cookie() const { return words.size() + (has_duration ? 1 : 0) <= 1; }
  };

  // Begins a program and its description; the entry of an exit's has a name and section of its own.
  void begin_described_program(const std::vector<const frontend::ProbeSpec *> &probes, Span span,
                               bool is_entry);
  bool is_filtered_by_pid() const;
  // Ends the program where an iterator has come to its end.
  void leave_at_end_of_iteration();
  // A pointer in the context, which may be null: the verifier wants that looked at.
  llvm::Value *context_pointer(uint32_t index);
  void branch_on_null(llvm::Value *pointer, llvm::BasicBlock *on_null);
  Place trusted_place(ast::Expr &expr, llvm::Value *root, llvm::BasicBlock *on_null);
  static EntryUse find_entry_use(const ProgramInfo &info);
  llvm::Value *entry_key(bool is_at_exit);
  void emit_entry_program(ProgramKind kind, const std::vector<const frontend::ProbeSpec *> &probes,
                          const EntryUse &use);
  void emit_watch_program(const frontend::ProbeSpec &probe);
  void keep_entry(const EntryUse &use);
  void begin_session(const EntryUse &use);
  void take_entry(const EntryUse &use);
  void take_from_map(
      const EntryUse &use, llvm::Value *now,
      const std::function<void(const std::vector<llvm::Value *> &words)> &go_on_with);
  void emit_program(const ProgramInfo &info, ProgramKind kind,
                    const std::vector<const frontend::ProbeSpec *> &probes);
  void emit_filters();
  void unless_wanted_process(const char *variable,
                             const std::function<void(llvm::Value *is_other)> &leave);
  void begin_network_program(ast::Clause &clause, const std::string &hook);
  bool has_several_xdp() const;
  void emit_packet(ast::Clause &clause);
  void emit_socket_operation(const std::string &name);
  llvm::Value *packet_field(const frontend::PacketHeaderInfo &info, const std::string &name);
  llvm::Value *packet_header(const frontend::PacketHeaderInfo &info, TypeRef type, llvm::Value *to);
  llvm::Value *packet_member(const std::string &name, TypeRef type, llvm::Value *to);
  llvm::Value *context_member(const StructDef::Member &member, TypeRef type, llvm::Value *to);
  void emit_syscall_dispatch(const std::string &table);
  llvm::Value *dispatch_row(llvm::Value *table, uint32_t columns);
  llvm::Value *dispatch_entry(llvm::Value *row, uint32_t column);
  void leave_unwanted_calls();
  void become_part(uint32_t program, llvm::GlobalVariable *table, uint32_t column);
  void join_programs(const std::vector<uint32_t> &parts);
  void return_if(llvm::Value *condition);
  llvm::Value *syscall_register(const char *name);
  llvm::Value *syscall_number();
  llvm::Value *syscall_field(const StructDef::Member &member);
  llvm::Value *is_compat_syscall();
  TypeRef task_with_status();
  llvm::Value *tracepoint_field(const StructDef::Member &member, TypeRef type, Span span,
                                llvm::Value *to);
  void leave_if(llvm::Value *condition);
  void release(size_t mark);

  llvm::Value *undefined(TypeRef type, llvm::Value *to);

  // expressions
  llvm::Value *literal_value(ast::Expr &expr);
  llvm::Value *unary(ast::Unary &node, llvm::Value *to);
  llvm::Value *binary(ast::Binary &node);
  llvm::Value *logical(ast::Binary &node);
  llvm::Value *comparison(ast::Binary &node);
  llvm::Value *probe_comparison(ast::Binary &node);
  llvm::Value *pointer_arithmetic(ast::Binary &node);
  llvm::Value *ternary(ast::Ternary &node, llvm::Value *to);
  llvm::Value *field_access(ast::FieldAccess &node, llvm::Value *to);
  llvm::Value *tuple_access(ast::TupleAccess &node);
  llvm::Value *index(ast::Index &node, llvm::Value *to);
  llvm::Value *tuple(ast::Expr &node, const std::vector<ast::Expr *> &elements,
                     const std::vector<std::string> *names, llvm::Value *to);
  llvm::Value *cast(ast::Cast &node, llvm::Value *to);
  llvm::Value *address_of(ast::Expr &operand);
  llvm::Value *untyped(llvm::Value *pointer, Span span);
  llvm::Value *positional(ast::PositionalParameter &node);
  llvm::Value *convert_fields(llvm::Value *value, TypeRef from, TypeRef to, Span span,
                              llvm::Value *destination);

  // memory
  llvm::Value *path_offset(const frontend::MemberPath &path);
  llvm::Value *read_bitfield(const Place &place, Span span);

  // statements
  void assign(ast::Assign &node);
  void let(ast::Let &node);
  void if_statement(ast::If &node);
  void while_loop(ast::While &node);
  void while_callback(ast::While &node);
  std::optional<uint64_t> guess_rounds(ast::While &loop) const;
  void unroll(ast::Unroll &node);
  void for_range(ast::ForRange &node);
  void for_map(ast::ForMap &node);
  void range_loop(ast::ForRange &node, llvm::Value *begin, llvm::Value *end);
  void range_callback(ast::ForRange &node, llvm::Value *begin, llvm::Value *end);

  // callbacks (lower_callback.cpp)
  // bpf_loop() runs at most this often (BPF_MAX_LOOPS, include/linux/bpf.h).
  static constexpr int64_t kMostCallbacks = 1 << 23;
  // Emits `body` as a function that a helper calls, with the variables that it shares with the
  // program; `call` gets the function and what to hand over as its "ctx", and calls the helper.
  // `words` are plain i64s that `body` gets back. With `scratch` it goes on in the program's
  // scratch memory.
  using CallbackBody =
      std::function<void(llvm::Function *, const std::vector<llvm::Value *> &words)>;
  void with_callback(const std::string &name, const std::vector<std::string> &parameters,
                     ast::Stmt &loop, const std::vector<llvm::Value *> &words,
                     const CallbackBody &body,
                     const std::function<void(llvm::Function *, llvm::Value *)> &call,
                     llvm::Value *scratch = nullptr);
  std::vector<const frontend::ast::VariableDecl *> shared_variables(ast::Stmt &loop);
  // The same by a loop of the program itself where the verifier can follow all its rounds.
  void walk_memory(uint64_t rounds, const Pointers &pointers,
                   const std::function<llvm::Value *(llvm::Value *, const Pointers &)> &body);

  // functions that programs share (lower_shared.cpp)
  using Values = std::vector<llvm::Value *>;
  using Operands =
      std::vector<std::pair<std::string, llvm::Value *>>;  // with their parameter names
  // Places in the script.
  struct MapUses {
    uint32_t reads = 0, writes = 0, deletions = 0;
  };
  llvm::Function *shared_function(const std::string &name,
                                  const std::vector<std::string> &parameters,
                                  const std::function<void(llvm::Function *)> &body);
  void count_map_uses();
  // Emits `body` in place, or, where many places of the script do this to the map, a call of the
  // function that does; `body` gets the operands, or the parameters that stand for them.
  llvm::Value *map_operation(const MapInfo &info, uint32_t MapUses::*how, const std::string &verb,
                             const Operands &operands,
                             const std::function<llvm::Value *(const Values &)> &body);
  // Of an update that finds no room; none in a scalar map.
  ErrorCounter update_counter(const MapInfo &info, Span span);
  // Two more operands, or none where nothing is counted; counter_of() finds them again.
  static Operands with_counter(Operands operands, const ErrorCounter &counter);
  static ErrorCounter counter_of(const Values &values, size_t first);

  // maps (lower_map.cpp)
  // A value that is no memory; 0, and counted where there is a site, when there is none.
  llvm::Value *map_word(const MapInfo &info, llvm::Value *key, const ErrorCounter &missing);

  // parts of long clauses (lower_part.cpp)
  bool is_long(const ast::Clause &clause) const;
  void block_in_parts(const std::vector<ast::Stmt *> &statements);
  void part(std::vector<ast::Stmt *> statements);

  // aggregations
  void update_aggregation(const MapInfo &info, llvm::Value *pointer, llvm::Value *input);
  void update_series(const MapInfo &info, llvm::Value *pointer, llvm::Value *input);
  void add_to(const MapInfo &info, llvm::Value *pointer, llvm::Value *amount);
  llvm::Value *highest_bit(llvm::Value *value);
  llvm::Value *hist_bucket(llvm::Value *input, int64_t bits);
  llvm::Value *compute_hist_bucket(llvm::Value *input, int64_t bits);
  llvm::Value *lhist_bucket(llvm::Value *input, const frontend::AggregationParameters &parameters);
  void for_each_cpu(const MapInfo &info, llvm::Value *key,
                    const std::function<void(llvm::Value *)> &body);
  void combine_cpus(const MapInfo &info, llvm::Value *key, llvm::Value *to);
  llvm::Value *average(llvm::Value *total, llvm::Value *count, bool is_signed);

  Emitter &e_;
  const frontend::CheckedProgram &program_;
  std::unordered_map<std::string, const MapInfo *> maps_;  // by name
  const ProgramInfo *info_ = nullptr;
  ProgramKind kind_ = ProgramKind::kPlain;
  llvm::Value *ctx_ = nullptr;            // in the function under construction
  llvm::Value *record_memory_ = nullptr;  // in a ring record: need not be clean
  Function function_;
  bool has_parts_ = false;  // the clause under construction is long
  Packet packet_;
  std::unordered_map<const frontend::ast::VariableDecl *, llvm::Value *> slots_;
  std::unordered_map<const frontend::ast::VariableDecl *, Pair> pairs_;
  // What variables were assigned last, in the order of the text, where that is a constant.
  std::unordered_map<const frontend::ast::VariableDecl *, int64_t> last_constants_;
  uint64_t walked_rounds_ = 1;                       // of the loops around that the verifier walks
  std::unordered_set<const llvm::Value *> aligned_;  // pointers known to be aligned to 8
  llvm::Value *return_flag_ = nullptr;               // in callbacks: set when the program is to end
  llvm::Value *shared_probe_ = nullptr;              // the probe id, where it is known already
  llvm::GlobalVariable *entries_ = nullptr;          // of the exit program under construction
  EntryUse entry_use_;
  llvm::Value *is_session_ = nullptr;        // null: the program cannot be one
  std::vector<llvm::Value *> entry_values_;  // `duration`, then a value for each of the words
  std::map<std::string, llvm::Function *> shared_functions_;  // by name
  TypeRef task_with_status_ = nullptr;                        // once it is wanted
  std::vector<MapUses> map_uses_;                             // by the map's id
  uint32_t program_count_ = 0;
  std::vector<Span> program_spans_;  // per program
  // Of programs on system calls: what finds out whether the call is traced.
  std::map<uint32_t, llvm::CallInst *> dispatch_calls_;
  std::unordered_set<uint32_t> programs_in_parts_;
  std::vector<std::string> unsupported_;
};

}  // namespace awl::codegen
