// What the Emitter holds, shared by the files that implement it. No other file includes this.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "codegen/core_reloc.h"
#include "codegen/debug_info.h"
#include "codegen/emitter.h"
#include "codegen/pipeline.h"
#include "codegen/relocations.h"

namespace awl::codegen {

// The function under construction: a program or a callback.
//
//   entry ──▶ [claim of scratch, when anything needs it] ──▶ body … ──▶ exit: release, ret
//
// `claim_edge` is the branch which the claim is spliced into.
struct Frame {
  llvm::Function *function = nullptr;
  llvm::DISubprogram *subprogram = nullptr;
  frontend::Span span;
  uint32_t program = 0;  // index in the description; of a callback: its program's
  llvm::BranchInst *claim_edge = nullptr;
  llvm::BasicBlock *exit = nullptr;  // returns that come after the claim
  llvm::PHINode *exit_value = nullptr;
  llvm::BasicBlock *early_exit = nullptr;  // returns before it; null: there are none yet
  llvm::PHINode *early_exit_value = nullptr;
  int64_t default_return = 0;
  llvm::GlobalVariable *next_programs = nullptr;  // see chain_programs
  size_t stack_left = 0;
  llvm::Value *scratch = nullptr;    // this run's slot, once claimed: users, then data
  bool is_scratch_borrowed = false;  // the caller releases it
  size_t scratch_used = 0;
  llvm::Value *zero_key = nullptr;  // i32 0 on the stack, key of scalar maps
  // Where to go on in the function around (callbacks).
  llvm::IRBuilder<>::InsertPoint resume;
  llvm::DebugLoc resume_location;
};

struct Emitter::State {
  State(const frontend::CheckedProgram &program, const Options &wanted);

  const frontend::CheckedProgram &checked;
  Options options;
  std::unique_ptr<llvm::TargetMachine> machine;
  llvm::LLVMContext context;
  llvm::Module module;
  llvm::IRBuilder<> builder;
  DebugInfo debug;
  object::Description description;
  CoreTypes core;
  RelocationTable relocations;

  std::deque<Frame> frames;  // the program and, within it, callbacks; references to them stay good
  Frame &frame() { return frames.back(); }

  std::vector<llvm::GlobalVariable *> script_maps;         // by MapInfo::id
  std::map<std::string, llvm::GlobalVariable *> own_maps;  // by name
  std::map<std::string, llvm::GlobalVariable *> variables;
  std::map<std::string, llvm::GlobalVariable *> blobs;  // by contents
  // Index in description.error_sites by what, whether always reported, source, begin, end.
  std::map<std::tuple<std::string, bool, uint32_t, uint32_t, uint32_t>, uint32_t> error_sites;
  llvm::GlobalVariable *zeros = nullptr;  // stands for the blob until its size is known
  size_t zeros_size = 0;
  size_t scratch_size = 0;  // bytes of a scratch slot's data, the largest so far
  llvm::Function *first_slot_function = nullptr;  // stands for what resolve_first_slots() puts in
  llvm::Function *count_error_function = nullptr;
  llvm::Function *count_lost_function = nullptr;
  llvm::Function *insert_function = nullptr;

  // ---- maps.cpp
  struct MapShape {
    uint32_t type = 0;  // enum bpf_map_type
    uint64_t max_entries = 0;
    uint32_t flags = 0;
    llvm::DIType *key = nullptr;  // null: the map has neither
    llvm::DIType *value = nullptr;
    uint32_t key_size = 0, value_size = 0;  // used where `key` or `value` is null
  };
  // A global in .maps whose shape is given later, by define_map.
  llvm::GlobalVariable *declare_map(const std::string &name);
  void define_map(llvm::GlobalVariable *map, const MapShape &shape);
  llvm::GlobalVariable *own_map(const std::string &name);
  void define_own_maps();
  void define_script_maps(Emitter &emitter);
  // The counter functions, made on first use: see records.cpp.
  llvm::Function *count_error(Emitter &emitter);
  llvm::Function *count_lost(Emitter &emitter);
  llvm::Function *insert_entry(Emitter &emitter);  // maps.cpp

  void close_frame(Emitter &emitter);
  void call_next_program(Emitter &emitter, llvm::Value *result);

  // ---- memory
  llvm::GlobalVariable *variable(const std::string &name, llvm::Constant *initial,
                                 llvm::DIType *type);
  llvm::AllocaInst *stack_slot(llvm::Type *type, const std::string &name);
  llvm::Value *zero_key();
  llvm::GlobalVariable *zero_blob(size_t size);
  void define_zeros();

  // ---- scratch.cpp
  void claim_scratch(Emitter &emitter);
  void release_scratch();
  llvm::Function *first_slot();
  // When the size of slots is settled.
  void resolve_first_slots(Emitter &emitter);
  bool has_shared_scratch() const;
};

// Bytes of the 512-byte stack that allocate() may use: the rest is for keys, spilled registers and
// the frames of callbacks, which share the 512.
inline constexpr size_t kProgramStack = 192;
inline constexpr size_t kCallbackStack = 64;
// A scratch slot is a u64 that counts its users, then the data.
inline constexpr size_t kScratchHeader = 8;
inline constexpr uint32_t kScratchSlots = 4;  // per CPU, or per group
inline constexpr uint32_t kScratchGroups = 16;
// What a value of a per-CPU map may have.
inline constexpr size_t kMostPerCpuValue = 32 << 10;

}  // namespace awl::codegen
