// Emitter: the BPF object under construction, and the few operations that lowering is made of.
//
// Lowering (lower_*.cpp) walks the checked AST and calls these; the Emitter knows LLVM modules,
// BTF debug info, maps, rings, scratch memory, CO-RE and relocations, and nothing of the script's
// statements. Everything that goes into `.awl` is collected in description() as it is emitted.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "codegen/codegen.h"
#include "codegen/helpers.h"
#include "frontend/checked_program.h"
#include "runtime/object/object.h"

namespace awl::codegen {

// Which error is counted, and in which program: i64s. Functions that programs share get both.
struct ErrorCounter {
  llvm::Value *site = nullptr;
  llvm::Value *program = nullptr;
};

class Emitter {
 public:
  Emitter(const frontend::CheckedProgram &program, const Options &options);
  ~Emitter();

  llvm::LLVMContext &context();
  llvm::Module &module();
  llvm::IRBuilder<> &b();  // positioned in the program under construction
  object::Description &description();

  // ---- programs
  // Starts a BPF program `i64 name(ptr ctx)` in an ELF section; appends a Program to description().
  // Until end_program() everything is emitted into it.
  llvm::Function *begin_program(const std::string &name, const std::string &section,
                                frontend::Span span);
  // Has the kernel run the program on the stack of the thread. Since 6.13 it gives programs with 64
  // bytes of stack and more one for each CPU (kernel/bpf/verifier.c, bpf_enable_priv_stack), also
  // those of user probes, whose runs are preempted and then share it.
  void stay_on_stack_of_thread();
  // Finishes it; the insertion point must be in a block that returns from here: emits `ret value`
  // after releasing scratch. Every early return must go through emit_return.
  void emit_return(llvm::Value *value = nullptr);  // null: the program's default, 0 unless set
  void set_default_return(int64_t value);
  // Instead of returning its default, the program hands over to the next one on its hook: where
  // the kernel takes one program only.
  void chain_programs();
  void end_program();
  // What comes before this filters events: scratch memory, if any is needed, is claimed only here,
  // unless something before already needed it. Optional; at most once, in a block that every run
  // that goes on passes through.
  void end_predicate();
  // A function for helpers that call back (bpf_loop, bpf_for_each_map_elem), emitted in the middle
  // of a program: i64 name(parameters), each an i64, or a ptr when it is called "ctx", "map",
  // "key", "value" or "table". emit_return and allocate work in it (its scratch is a slot of its
  // own); end_callback goes on where the program was left.
  llvm::Function *begin_callback(const std::string &name,
                                 const std::vector<std::string> &parameters, frontend::Span span);
  void end_callback();
  uint32_t program_index() const;  // of the program under construction
  size_t depth() const;            // functions under construction: 1 is the program alone
  llvm::Value *ctx();  // the first parameter; in a callback that is not the program's context
  // Debug location (and so .BTF.ext line info) of what is emitted next.
  void set_location(frontend::Span span);
  llvm::BasicBlock *new_block(const std::string &name);

  // ---- types
  // How a value lies in memory: iN (bool: i8), ptr, or [size x i8] for all that has no register
  // form.
  llvm::Type *llvm_type(frontend::TypeRef type);
  object::ValueType value_type(frontend::TypeRef type);  // for the description
  object::Location location(frontend::Span span);

  // ---- constants, variables, memory
  llvm::ConstantInt *i64(int64_t value);
  llvm::ConstantInt *i32(int64_t value);
  llvm::ConstantInt *i8(int64_t value);
  // A constant blob in .rodata, NUL-padded to `size`.
  llvm::Value *rodata_bytes(const std::string &bytes, size_t size);
  // Volatile load of an 8-byte variable in .rodata that the loader sets (object::k…Variable and
  // "awl_kaddr_…"); created on first use with the given initial value.
  llvm::Value *load_variable(const std::string &name, uint64_t initial = 0);
  // Address of a char[] parameter in .rodata.
  llvm::Value *string_variable(const std::string &name, size_t size, const std::string &initial);
  // Memory for this program run: on the stack when small (Config::on_stack_limit and what is left
  // of the program's stack budget), else in this run's per-CPU scratch slot. Not zeroed. `name` is
  // for IR readers.
  llvm::Value *allocate(size_t size, size_t alignment, const std::string &name);
  // The same for what is small enough for the stack and read often, whatever on_stack_limit says.
  llvm::Value *allocate_on_stack(size_t size, const std::string &name);
  llvm::Value *allocate_in_scratch(size_t size, const std::string &name);
  // From here on nothing of this program is allocated on the stack.
  void use_scratch_only();
  // This run's scratch slot, for a callback that goes on in it.
  llvm::Value *scratch();
  // The callback under construction has its caller's slot, and takes what the caller has left.
  void borrow_scratch(llvm::Value *slot);
  // Whether as little as can be is to be left to LLVM to put on the stack.
  bool saves_stack() const;
  void zero(llvm::Value *pointer, size_t size);                // memset, inlined or looped
  void copy(llvm::Value *to, llvm::Value *from, size_t size);  // memcpy of BPF memory

  // A function of an imported object, declared: i64 name(i64, …).
  llvm::Function *imported_function(const frontend::ImportedFunction &function);

  // ---- helpers
  llvm::Value *call(Helper helper, const std::vector<llvm::Value *> &arguments,
                    const std::string &name = "");
  // bpf_probe_read_{kernel,user}: failed reads zero the destination, are counted at `span`. Gives
  // the helper's result. kNone reads the kernel, kBpf copies (`size` is then a constant).
  llvm::Value *probe_read(llvm::Value *to, llvm::Value *size, llvm::Value *from,
                          frontend::AddressSpace space, frontend::Span span);
  // bpf_probe_read_{kernel,user}_str: the helper's result (length with NUL, or negative).
  llvm::Value *probe_read_str(llvm::Value *to, llvm::Value *size, llvm::Value *from,
                              frontend::AddressSpace space, frontend::Span span);

  // ---- maps
  // Every map of the script is in the object; its index in description().maps is MapInfo::id.
  llvm::GlobalVariable *map(const frontend::MapInfo &info);
  const object::Map &map_description(const frontend::MapInfo &info);
  // Pointer to the value, null when there is none. `key` points to the key (i32 0 for scalars,
  // made here when null).
  llvm::Value *map_lookup(llvm::GlobalVariable *map, llvm::Value *key);
  // The helpers' results: 0 or a negative errno.
  llvm::Value *map_update(llvm::GlobalVariable *map, llvm::Value *key, llvm::Value *value,
                          uint64_t flags);
  llvm::Value *map_delete(llvm::GlobalVariable *map, llvm::Value *key);
  // The value for `key`, made (all zero) when there is none: one lookup in the program; what has no
  // entry yet goes to a function that makes it. `then` is called with the non-null pointer; a full
  // map is counted at `span`. A scalar map's "is set" flag is set.
  template <class F>
  void with_map_value(const frontend::MapInfo &info, llvm::Value *key, const ErrorCounter &counter,
                      F then) {
    llvm::BasicBlock *done = nullptr;
    llvm::Value *pointer = begin_map_value(info, key, counter, &done);
    then(pointer);
    end_map_value(done);
  }
  // Where get_stackid puts stacks of a type.
  llvm::GlobalVariable *stack_map(frontend::TypeRef type);
  // A map of ours by its name, made on first use.
  llvm::GlobalVariable *own_map(const std::string &name, uint32_t type, uint32_t entries,
                                uint32_t key_size, uint32_t value_size);
  // Entries that the exit program of a number takes: 16 bytes of key, u64 time and `words` u64s.
  llvm::GlobalVariable *entries_map(uint32_t program, uint32_t words, bool is_lru);
  llvm::GlobalVariable *probe_names_map();  // object::kProbeNamesMap

  // ---- CO-RE (LLVM's preserve-access intrinsics on minimal local types made from the definitions)
  // Byte offset of the member at the end of the path in the running kernel, as a u64 (relocated).
  llvm::Value *core_byte_offset(const frontend::MemberPath &path);
  // A bitfield: reads it from `base` (kernel memory) with relocated offset, size and shifts.
  llvm::Value *core_read_bitfield(const frontend::MemberPath &path, llvm::Value *base,
                                  frontend::Span span);
  llvm::Value *core_field_exists(const frontend::MemberPath &path);                           // i1
  llvm::Value *core_type_size(frontend::TypeRef type);                                        // u64
  llvm::Value *core_enum_value(const frontend::EnumDef &def, const std::string &enumerator);  // i64
  // Whether a helper exists: bpf_core_enum_value_exists(enum bpf_func_id, …), i1.
  llvm::Value *core_helper_exists(Helper helper);

  // ---- records
  uint32_t add_event(object::Event event);
  // Reserves an output record of `event.size` bytes in the ring, writes its header and calls
  // `fill` with the pointer; submits it. When there is no room it is counted in awl_lost.
  template <class F>
  void output_record(uint32_t event, F fill) {
    llvm::BasicBlock *done = nullptr;
    llvm::Value *record = begin_record(event, &done);
    fill(record);
    end_record(record, done);
  }
  // The same for a control record (ControlHeader).
  template <class F>
  void control_record(uint32_t event, F fill) {
    llvm::BasicBlock *done = nullptr;
    llvm::Value *record = begin_control_record(event, &done);
    fill(record);
    end_control_record(record, done);
  }

  // ---- errors at run time
  uint32_t error_site(const std::string &what, frontend::Span span, bool is_always_reported);
  ErrorCounter error_counter(const std::string &what, frontend::Span span, bool is_always_reported);
  // Counts one error here and now; the result (null: 0) goes into the report that -k sends.
  void count_error(uint32_t site, llvm::Value *helper_result);
  void count_error(const ErrorCounter &counter, llvm::Value *helper_result);
  // Whether each error is told when it happens (-k): what is counted for that alone need not be
  // without.
  bool reports_errors() const;
  // Counts it where the result is negative, and goes on in either case.
  void count_if_failed(llvm::Value *helper_result, const std::string &what, frontend::Span span,
                       bool is_always_reported);
  void count_if_failed(llvm::Value *helper_result, const ErrorCounter &counter);

  // ---- load-time relocations (object::Relocation)
  // Loads `size` bytes (1, 2, 4, 8) of a tracepoint's field from its record `base` (ctx),
  // zero-extended to i64.
  llvm::Value *load_tracepoint_field(llvm::Value *base, const std::string &field, uint32_t offset,
                                     uint32_t size);
  // The same for an argument of a kernel function, in the context of fentry and fexit; "return" is
  // what it returns.
  llvm::Value *load_function_argument(llvm::Value *context, const std::string &argument,
                                      uint32_t offset);
  // Address of the field in the record.
  llvm::Value *tracepoint_field_address(llvm::Value *base, const std::string &field,
                                        uint32_t offset, uint32_t size);
  // Parts of argument N of a usdt probe: a register of the context, a constant.
  llvm::Value *load_usdt_register(const std::string &field, uint32_t argument, llvm::Value *ctx);
  llvm::Value *usdt_constant(const std::string &field, uint32_t argument);
  // A part of the address of a symbol of the traced binary.
  llvm::Value *user_symbol_part(const std::string &symbol, object::UserSymbolPart part);
  // The id of the target that fired, u32 as i64: patched constant, or the attach cookie.
  llvm::Value *probe_id();
  // Bytes of the link header of the interface that the program is attached to, as i64: 14 or 0.
  llvm::Value *link_header();
  // i1: whether the program runs at entries too, as a session.
  llvm::Value *is_session();
  // What object::kSessionIsReturn or kSessionCookie says, where the program is a session.
  llvm::Value *session_call(const std::string &function);
  // A table of system calls in .rodata: u32[kSyscallTableSize][columns].
  llvm::GlobalVariable *dispatch_table(const std::string &name, uint32_t columns);

  // Runs LLVM; gives the object.
  Result<object::Object> finish();

 private:
  llvm::Value *begin_map_value(const frontend::MapInfo &info, llvm::Value *key,
                               const ErrorCounter &counter, llvm::BasicBlock **done);
  void end_map_value(llvm::BasicBlock *done);
  llvm::Value *reserve(const char *ring, uint32_t size, llvm::Value *program,
                       llvm::BasicBlock **done);
  llvm::Value *begin_record(uint32_t event, llvm::BasicBlock **done);
  void end_record(llvm::Value *record, llvm::BasicBlock *done);
  llvm::Value *begin_control_record(uint32_t event, llvm::BasicBlock **done);
  void end_control_record(llvm::Value *record, llvm::BasicBlock *done);

  struct State;
  std::unique_ptr<State> s_;
};

}  // namespace awl::codegen
