// Programs on system calls that are one program for the kernel.
//
// A program on sys_enter or sys_exit runs at every system call of the machine, and most of the time
// only to find that the call is none of its own: with 17 clauses for entries and as many for exits
// that took 1.3 microseconds each time. So they become functions of one program, which looks the
// number up in their tables. They also load as one. Clauses with loops stay alone: their states
// would be added up, and the verifier follows a million instructions of a program at the most. So
// do long ones, which are functions themselves.
#include <llvm/Analysis/CFG.h>
#include <llvm/IR/InstIterator.h>

#include <map>
#include <set>

#include "codegen/lower.h"

namespace awl::codegen {
namespace {

// A program may use 64 maps (MAX_USED_MAPS in include/linux/bpf_verifier.h); some are awl's own.
constexpr size_t kMostMaps = 48;
// It may have 256 functions (BPF_MAX_SUBPROGS, there too); what the parts call counts as well.
constexpr size_t kMostParts = 128;
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
    if (programs[i].dispatch.empty() || programs_in_parts_.count(i)) continue;
    llvm::Function &function = *e_.module().getFunction(programs[i].name);
    const Needs needs = needs_of(function);
    if (needs.has_callback || needs.stack > kMostStack || has_loop(function)) continue;
    std::vector<Group> &open = groups[programs[i].section];
    std::set<const llvm::GlobalVariable *> maps = needs.maps;
    if (!open.empty()) maps.insert(open.back().maps.begin(), open.back().maps.end());
    if (open.empty() || maps.size() > kMostMaps || open.back().programs.size() == kMostParts) {
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

// Emits the program that calls the parts, which become functions in .text. Their tables become
// columns of one, so that what a call of no interest costs is one look into memory, and one of
// interest finds all that it needs close together.
void Lowering::join_programs(const std::vector<uint32_t> &parts) {
  std::vector<object::Program> &programs = e_.description().programs;
  const object::Program &first = programs[parts.front()];
  e_.begin_program("awl_group_" + first.name, first.section, program_spans_[parts.front()]);
  const std::string name = programs.back().name;
  programs.pop_back();  // its parts are described
  ctx_ = e_.ctx();
  function_ = {};

  const auto columns = static_cast<uint32_t>(parts.size()) + 1;
  const std::string table_name = "awl_dispatch_of_" + std::to_string(parts.front());
  llvm::GlobalVariable *table = e_.dispatch_table(table_name, columns);
  llvm::Value *row = dispatch_row(table, columns);
  return_if(b().CreateICmpEQ(dispatch_entry(row, 0), e_.i64(0)));
  leave_unwanted_calls();
  for (uint32_t column = 1; column < columns; ++column) {
    object::Program &part = programs[parts[column - 1]];
    llvm::Function *function = e_.module().getFunction(part.name);
    llvm::Value *is_wanted = b().CreateICmpNE(dispatch_entry(row, column), e_.i64(0));
    if_then(is_wanted, [&] { b().CreateCall(function, {ctx_}); });
    become_part(parts[column - 1], table, column);
    part.name = name;
    part.dispatch = table_name;
    part.dispatch_columns = columns;
    part.dispatch_column = column;
  }
  e_.end_program();
}

// A part is called for what its program wants, so it need not look again, unless it uses which of
// its probes this is.
void Lowering::become_part(uint32_t program, llvm::GlobalVariable *table, uint32_t column) {
  llvm::CallInst *entry = dispatch_calls_.at(program);
  llvm::Function *function = entry->getFunction();
  auto *own_table = llvm::cast<llvm::GlobalVariable>(entry->getArgOperand(1));
  const bool is_used = llvm::any_of(entry->users(), [](llvm::User *user) {
    return !llvm::isa<llvm::ICmpInst>(user) && !user->use_empty();
  });
  if (is_used) {
    const uint32_t columns =
        table->getValueType()->getArrayNumElements() / object::kSyscallTableSize;
    llvm::Function *find = shared_function(
        "awl_probe_of_" + table->getName().str(), {"ctx", "table"}, [&](llvm::Function *finder) {
          e_.emit_return(dispatch_entry(dispatch_row(finder->getArg(1), columns), 0));
        });
    llvm::IRBuilder<> builder(entry);
    llvm::Value *from = builder.CreateConstInBoundsGEP1_64(builder.getInt32Ty(), table, column);
    entry->replaceAllUsesWith(builder.CreateCall(find, {function->getArg(0), from}));
  } else {
    entry->replaceAllUsesWith(e_.i64(1));
  }
  entry->eraseFromParent();
  own_table->eraseFromParent();
  // libbpf tells the kernel that hidden functions are static: those are verified where they are
  // called. (What the debug information says of the function's linkage is settled already.)
  function->setVisibility(llvm::GlobalValue::HiddenVisibility);
  function->setSection("");
  function->addFnAttr(llvm::Attribute::NoInline);
}

}  // namespace awl::codegen
