// Programs on system calls that are one program for the kernel.
//
// A program on sys_enter or sys_exit runs at every system call of the machine, and most of the time
// only to find that the call is none of its own: with 17 clauses for entries and as many for exits
// that took 1.3 microseconds each time. So they become functions of one program, which looks the
// number up in their tables. They also load as one. Clauses with loops stay alone: their states
// would be added up, and the verifier follows a million instructions of a program at the most.
#include <llvm/Analysis/CFG.h>
#include <llvm/IR/InstIterator.h>

#include <map>
#include <set>

#include "codegen/lower.h"

namespace awl::codegen {
namespace {

// A program may use 64 maps (MAX_USED_MAPS in include/linux/bpf_verifier.h); some are awl's own.
constexpr size_t kMostMaps = 48;
constexpr uint64_t kMostStack =
    256;  // bytes of a function's 512 that are known before it is compiled

bool has_loop(const llvm::Function &function) {
  llvm::SmallVector<std::pair<const llvm::BasicBlock *, const llvm::BasicBlock *>, 4> edges;
  llvm::FindFunctionBackedges(function, edges);
  return !edges.empty();
}

// What matters of a function for sharing a program with others.
struct Needs {
  std::set<const llvm::GlobalVariable *> maps;
  uint64_t stack = 0;
  bool has_callback = false;
};

Needs needs_of(llvm::Function &function) {
  const llvm::DataLayout &layout = function.getParent()->getDataLayout();
  Needs needs;
  for (llvm::Instruction &instruction : llvm::instructions(function)) {
    if (auto *slot = llvm::dyn_cast<llvm::AllocaInst>(&instruction))
      needs.stack += layout.getTypeAllocSize(slot->getAllocatedType());
    auto *call = llvm::dyn_cast<llvm::CallBase>(&instruction);
    for (llvm::Use &use : instruction.operands()) {
      if (auto *global = llvm::dyn_cast<llvm::GlobalVariable>(use.get());
          global && global->getSection() == ".maps")
        needs.maps.insert(global);
      if (llvm::isa<llvm::Function>(use.get()) && !(call && call->isCallee(&use)))
        needs.has_callback = true;
    }
  }
  return needs;
}

struct Group {
  std::vector<uint32_t> programs;  // in the description
  std::set<const llvm::GlobalVariable *> maps;
};

}  // namespace

void Lowering::group_syscall_programs() {
  std::map<std::string, std::vector<Group>> groups;  // by section
  const std::vector<object::Program> &programs = e_.description().programs;
  for (uint32_t i = 0; i < programs.size(); ++i) {
    if (programs[i].dispatch.empty()) continue;
    llvm::Function &function = *e_.module().getFunction(programs[i].name);
    const Needs needs = needs_of(function);
    if (needs.has_callback || needs.stack > kMostStack || has_loop(function)) continue;
    std::vector<Group> &open = groups[programs[i].section];
    std::set<const llvm::GlobalVariable *> maps = needs.maps;
    if (!open.empty()) maps.insert(open.back().maps.begin(), open.back().maps.end());
    if (open.empty() || maps.size() > kMostMaps) {
      open.emplace_back();
      maps = needs.maps;
    }
    open.back().programs.push_back(i);
    open.back().maps = std::move(maps);
  }
  for (const auto &[section, of_section] : groups) {
    kind_ = section == kEnterSection ? ProgramKind::kSyscallEnter : ProgramKind::kSyscallExit;
    for (const Group &group : of_section) {
      if (group.programs.size() > 1) join_programs(group.programs);
    }
  }
}

// Emits the program that calls the parts, which become functions in .text. They still tell by
// themselves what is wanted of a call that has an entry in their table.
void Lowering::join_programs(const std::vector<uint32_t> &parts) {
  std::vector<object::Program> &programs = e_.description().programs;
  const object::Program &first = programs[parts.front()];
  e_.begin_program("awl_group_" + first.name, first.section, program_spans_[parts.front()]);
  const std::string name = programs.back().name;
  programs.pop_back();  // its parts are described
  ctx_ = e_.ctx();
  function_ = {};

  llvm::Value *number = opaque(syscall_number());
  return_if(b().CreateICmpUGE(number, e_.i64(object::kSyscallTableSize)));
  for (const uint32_t part : parts) {
    llvm::Function *function = e_.module().getFunction(programs[part].name);
    llvm::Value *table = e_.module().getGlobalVariable(programs[part].dispatch);
    llvm::Type *entry = b().getInt32Ty();
    llvm::Value *probe = b().CreateAlignedLoad(entry, b().CreateGEP(entry, table, number),
                                               llvm::Align(4), /*isVolatile=*/true);
    if_then(b().CreateICmpNE(probe, b().getInt32(0)), [&] { b().CreateCall(function, {ctx_}); });
    // libbpf tells the kernel that hidden functions are static: those are verified where they are
    // called. (What the debug information says of the function's linkage is settled already.)
    function->setVisibility(llvm::GlobalValue::HiddenVisibility);
    function->setSection("");
    function->addFnAttr(llvm::Attribute::NoInline);
    programs[part].name = name;
  }
  e_.end_program();
}

}  // namespace awl::codegen
