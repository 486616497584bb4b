#include "codegen/pipeline.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/PassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <cassert>
#include <mutex>
#include <unordered_map>
#include <vector>

extern "C" {
void LLVMInitializeBPFTargetInfo();
void LLVMInitializeBPFTarget();
void LLVMInitializeBPFTargetMC();
void LLVMInitializeBPFAsmPrinter();
void LLVMInitializeBPFAsmParser();
}

namespace awl::codegen {
namespace {

// Passes of code generation that are left out; LLVM has no other way to say so.
// - Block placement: older verifiers (5.10, 6.1) take a loop only when a jump closes it, not when
//   an instruction falls through to the loop's head, which placement likes to put last. So blocks
//   stay in an order where a head precedes its loop.
// - Loop strength reduction turns indices into moving pointers, which the verifier follows less
//   well; hoisting from loops fills registers. Programs like ours gain next to nothing from either.
// - Sinking and common subexpressions of machine code, for the same reason, and because they take
//   quadratic time; the passes before have done what matters.
void leave_out_passes() {
  auto &options = llvm::cl::getRegisteredOptions();
  for (const char *name :
       {"disable-block-placement", "disable-lsr", "disable-machine-licm", "disable-machine-sink",
        "disable-machine-cse", "disable-postra-machine-licm", "disable-cgp"}) {
    auto option = options.find(name);
    assert(option != options.end());
    static_cast<llvm::cl::opt<bool> *>(option->second)->setValue(true);
  }
}

// Programs are for instruction set v3, which kernels from 5.10 on know. Of v4 (6.6) only the jump
// of 32 bits is let in: LLVM takes it where a program has more than 32,767 instructions between a
// jump and its target, and would give up otherwise.
const char *choose_instruction_set() {
#if LLVM_VERSION_MAJOR >= 18
  auto &options = llvm::cl::getRegisteredOptions();
  for (const char *name : {"disable-ldsx", "disable-movsx", "disable-bswap", "disable-sdiv-smod",
                           "disable-storeimm"}) {
    auto option = options.find(name);
    if (option == options.end()) return "v3";
    static_cast<llvm::cl::opt<bool> *>(option->second)->setValue(true);
  }
  return "v4";
#else
  return "v3";
#endif
}

void order_blocks(llvm::Function &function) {
  llvm::ReversePostOrderTraversal<llvm::Function *> order(&function);
  llvm::BasicBlock *last = nullptr;
  for (llvm::BasicBlock *block : order) {
    if (last) block->moveAfter(last);
    last = block;
  }
}

// Where in the block of a use, or of the edge that a phi's value comes by, an operand can be made.
llvm::Instruction *place_for(llvm::Use &use) {
  auto *user = llvm::cast<llvm::Instruction>(use.getUser());
  if (auto *phi = llvm::dyn_cast<llvm::PHINode>(user)) {
    return phi->getIncomingBlock(use)->getTerminator();
  }
  return user;
}

// An address at a constant distance from another costs one instruction where it is used, and a
// register or a place on the stack all the way from where it was made: thousands of them, as large
// scripts have in their scratch memory, make register allocation take quadratic time. So each block
// that uses one makes its own.
void rematerialize_addresses(llvm::Function &function) {
  std::vector<llvm::GetElementPtrInst *> addresses;
  for (llvm::Instruction &instruction : llvm::instructions(function)) {
    auto *address = llvm::dyn_cast<llvm::GetElementPtrInst>(&instruction);
    if (address && address->hasAllConstantIndices()) addresses.push_back(address);
  }
  for (llvm::GetElementPtrInst *address : addresses) {
    std::unordered_map<llvm::BasicBlock *, llvm::Instruction *> copies;
    for (llvm::Use &use : llvm::make_early_inc_range(address->uses())) {
      llvm::Instruction *place = place_for(use);
      llvm::BasicBlock *block = place->getParent();
      if (block == address->getParent()) continue;
      llvm::Instruction *&copy = copies[block];
      if (!copy) {
        copy = address->clone();
        copy->insertBefore(place);
      } else if (place->comesBefore(copy)) {
        copy->moveBefore(place);
      }
      use.set(copy);
    }
    if (address->use_empty()) address->eraseFromParent();
  }
}

}  // namespace

std::unique_ptr<llvm::TargetMachine> make_bpf_target() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTarget();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFAsmPrinter();
    LLVMInitializeBPFAsmParser();  // of inline assembly
    leave_out_passes();
  });
  const char *triple = llvm::sys::IsLittleEndianHost ? "bpfel" : "bpfeb";
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
#if LLVM_VERSION_MAJOR >= 18
  auto level = llvm::CodeGenOptLevel::Default;
#else
  auto level = llvm::CodeGenOpt::Default;
#endif
#if LLVM_VERSION_MAJOR >= 21
  llvm::Triple name(triple);
#else
  llvm::StringRef name(triple);
#endif
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(name, choose_instruction_set(), "", llvm::TargetOptions(),
                                  std::nullopt, std::nullopt, level));
}

// Programs are small and run in the kernel's hot paths, and compiling must not be felt: a handful
// of passes that pay. No loop pass is among them: unrolling would copy the one lookup of an update.
void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);

  llvm::OptimizationLevel level = llvm::OptimizationLevel::O2;
  llvm::ModulePassManager passes;
  // The BPF target's own: CO-RE accesses become relocations here, before anything can merge them.
  builder.invokePipelineStartEPCallbacks(passes, level);
#if LLVM_VERSION_MAJOR >= 20
  builder.invokePipelineEarlySimplificationEPCallbacks(passes, level,
                                                       llvm::ThinOrFullLTOPhase::None);
#else
  builder.invokePipelineEarlySimplificationEPCallbacks(passes, level);
#endif
  llvm::FunctionPassManager function_passes;
  function_passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  function_passes.addPass(llvm::EarlyCSEPass());
  builder.invokePeepholeEPCallbacks(function_passes, level);
  function_passes.addPass(llvm::ADCEPass());
  function_passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(function_passes)));
  passes.run(module, modules);
  for (llvm::Function &function : module) {
    if (function.isDeclaration()) continue;
    order_blocks(function);
    rematerialize_addresses(function);
  }
  // What names enumerators to the target is of no use any more.
  for (llvm::GlobalVariable &global : llvm::make_early_inc_range(module.globals())) {
    if (global.hasPrivateLinkage() && global.use_empty()) global.eraseFromParent();
  }
}

Result<std::vector<uint8_t>> emit_object(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
#if LLVM_VERSION_MAJOR >= 18
  auto file_type = llvm::CodeGenFileType::ObjectFile;
#else
  auto file_type = llvm::CGFT_ObjectFile;
#endif
  if (machine.addPassesToEmitFile(passes, stream, nullptr, file_type)) {
    return Error{"LLVM's BPF target writes no object files"};
  }
  passes.run(module);
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace awl::codegen
