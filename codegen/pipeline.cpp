#include "codegen/pipeline.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/STLExtras.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/ConstantFolding.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/PassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/PassInfo.h>
#include <llvm/PassRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Local.h>

#include <cassert>
#include <cerrno>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "codegen/codegen.h"

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
//   well; hoisting from loops, and of constants, fills registers. Programs like ours gain next to
//   nothing from either.
// - Sinking and common subexpressions of machine code, for the same reason, and because they take
//   quadratic time; the passes before have done what matters.
void leave_out_passes() {
  auto &options = llvm::cl::getRegisteredOptions();
  for (const char *name :
       {"disable-block-placement", "disable-lsr", "disable-machine-licm", "disable-machine-sink",
        "disable-machine-cse", "disable-postra-machine-licm", "disable-cgp",
        "disable-constant-hoisting"}) {
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

// What LLVM does with a block takes quadratic time in places, so long ones are cut.
void cut_blocks(llvm::Function &function) {
  constexpr size_t kMostInstructions = 400;
  std::vector<llvm::BasicBlock *> blocks;
  for (llvm::BasicBlock &block : function) blocks.push_back(&block);
  for (llvm::BasicBlock *block : blocks) {
    size_t count = 0;
    for (auto next = block->begin(); next != block->end(); ++next) {
      bool is_movable = !llvm::isa<llvm::PHINode, llvm::AllocaInst>(*next);
      if (++count < kMostInstructions || !is_movable || next->isTerminator()) continue;
      block = block->splitBasicBlock(next);
      next = block->begin();
      count = 0;
    }
  }
}

// Lowering opens a block for every turn that a script could take. Where there turns out to be one
// way, one block is left, and passes that look at ways have nothing to do.
void straighten(llvm::Function &function) {
  for (llvm::BasicBlock &block : function) {
    auto *branch = llvm::dyn_cast<llvm::BranchInst>(block.getTerminator());
    if (!branch || branch->isUnconditional()) continue;
    // Nearly all are constants by now; what a part was asked of its row is not.
    if (auto *condition = llvm::dyn_cast<llvm::Instruction>(branch->getCondition())) {
      llvm::Constant *known =
          llvm::ConstantFoldInstruction(condition, function.getParent()->getDataLayout());
      if (known) branch->setCondition(known);
    }
    llvm::ConstantFoldTerminator(&block, true);
  }
  llvm::EliminateUnreachableBlocks(function);
  for (llvm::BasicBlock &block : llvm::make_early_inc_range(function)) {
    llvm::MergeBlockIntoPredecessor(&block);
  }
}

// An address at a constant distance from another costs one instruction where it is used, and a
// register or a place on the stack all the way from where it was made: thousands of them, as large
// scripts have in their scratch memory, make register allocation take quadratic time. So each block
// that uses one makes its own, where it is used first.
class AddressCopies {
 public:
  explicit AddressCopies(llvm::BasicBlock &block) : block_(block) {}

  void run() {
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(block_)) {
      if (llvm::isa<llvm::PHINode>(instruction)) continue;
      for (llvm::Use &use : instruction.operands()) take(use, instruction);
    }
    // A phi's value is wanted at the end of the block that it comes from.
    for (llvm::BasicBlock *next : llvm::successors(&block_)) {
      for (llvm::PHINode &phi : next->phis()) {
        for (unsigned i = 0; i < phi.getNumIncomingValues(); ++i) {
          if (phi.getIncomingBlock(i) != &block_) continue;
          take(phi.getOperandUse(i), *block_.getTerminator());
        }
      }
    }
  }

 private:
  void take(llvm::Use &use, llvm::Instruction &place) {
    auto *address = llvm::dyn_cast<llvm::GetElementPtrInst>(use.get());
    if (!address || address->getParent() == &block_ || !address->hasAllConstantIndices()) return;
    llvm::Instruction *&copy = copies_[address];
    if (!copy) {
      copy = address->clone();
      copy->insertInto(place.getParent(), place.getIterator());
      take(copy->getOperandUse(0), *copy);
    }
    use.set(copy);
  }

  llvm::BasicBlock &block_;
  std::unordered_map<llvm::GetElementPtrInst *, llvm::Instruction *> copies_;
};

void rematerialize_addresses(llvm::Function &function) {
  for (llvm::BasicBlock &block : function) AddressCopies(block).run();
  for (llvm::BasicBlock &block : function) {
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(llvm::reverse(block))) {
      if (llvm::isa<llvm::GetElementPtrInst>(instruction) && instruction.use_empty()) {
        instruction.eraseFromParent();
      }
    }
  }
}

#if LLVM_VERSION_MAJOR < 20
// What LLVM's addISelPasses() adds, less passes for what our IR never has (vectors, floating point,
// exceptions, garbage collection, calls of the C library, integers of more than 64 bits) and what
// optimize() has done: no block is out of reach.
bool add_selection_passes(llvm::TargetMachine &machine, llvm::TargetPassConfig &config,
                          llvm::legacy::PassManager &passes) {
  passes.add(llvm::createTargetTransformInfoWrapperPass(machine.getTargetIRAnalysis()));
  passes.add(llvm::createPreISelIntrinsicLoweringPass());
#if LLVM_VERSION_MAJOR >= 19
  passes.add(llvm::createAtomicExpandLegacyPass());
#else
  passes.add(llvm::createAtomicExpandPass());
#endif
  // The BPF target's own: it has no header.
  const llvm::PassInfo *adjust =
      llvm::PassRegistry::getPassRegistry()->getPassInfo(llvm::StringRef("bpf-check-and-opt-ir"));
  if (adjust == nullptr) return false;
  passes.add(adjust->createPass());
  if (config.addInstSelector()) return false;
  passes.add(llvm::Pass::createPass(&llvm::FinalizeISelID));
  return true;
}

// Machine passes that programs like ours have nothing for (debug information of variables,
// exceptions, instrumentation, scheduling) and some that gain next to nothing (late clean-up,
// shrink wrapping, sinking after register allocation, peepholes): each takes time for every
// function.
void leave_out_machine_passes(llvm::TargetPassConfig &config, const llvm::Module &module) {
  for (const char *id : {&llvm::LiveDebugValuesID,
                         &llvm::RemoveRedundantDebugValuesID,
                         &llvm::MachineLateInstrsCleanupID,
                         &llvm::StackMapLivenessID,
                         &llvm::PatchableFunctionID,
                         &llvm::FEntryInserterID,
                         &llvm::XRayInstrumentationID,
                         &llvm::FuncletLayoutID,
                         &llvm::ShrinkWrapID,
                         &llvm::PostRAMachineSinkingID,
                         &llvm::MachineCombinerID,
                         &llvm::EarlyIfConverterID,
                         &llvm::PostRASchedulerID,
                         &llvm::FixupStatepointCallerSavedID,
                         &llvm::MachineSanitizerBinaryMetadataID,
                         &llvm::MachineCopyPropagationID,
                         &llvm::OptimizePHIsID,
                         &llvm::DetectDeadLanesID,
                         &llvm::RenameIndependentSubregsID,
                         &llvm::EarlyTailDuplicateID,
                         &llvm::TailDuplicateID,
                         &llvm::LocalStackSlotAllocationID,
                         &llvm::PeepholeOptimizerID}) {
    config.disablePass(id);
  }
  // Values share a place on the stack only where the IR tells how long they live.
  const bool has_lifetimes = llvm::any_of(module.functions(), [](const llvm::Function &function) {
    return function.getIntrinsicID() == llvm::Intrinsic::lifetime_start;
  });
  if (!has_lifetimes) config.disablePass(&llvm::StackColoringID);
}
#endif

// What LLVM's addPassesToEmitFile() adds, before LLVM 20 less what the module has no use for: since
// then the class that creates the single passes is none of the public ones.
bool add_machine_passes(llvm::TargetMachine &machine, llvm::legacy::PassManager &passes,
                        llvm::raw_pwrite_stream &stream, const llvm::Module &module) {
#if LLVM_VERSION_MAJOR >= 18
  constexpr auto kObject = llvm::CodeGenFileType::ObjectFile;
#else
  constexpr auto kObject = llvm::CGFT_ObjectFile;
#endif
#if LLVM_VERSION_MAJOR >= 20
  (void)module;
  return !machine.addPassesToEmitFile(passes, stream, nullptr, kObject);
#else
  auto &target = static_cast<llvm::LLVMTargetMachine &>(machine);
  auto *modules = new llvm::MachineModuleInfoWrapperPass(&target);
  llvm::TargetPassConfig *config = target.createPassConfig(passes);
  config->setDisableVerify(true);  // Emitter::finish() verifies, in builds for development
  passes.add(config);
  passes.add(modules);
  leave_out_machine_passes(*config, module);
  if (!add_selection_passes(machine, *config, passes)) return false;
  config->addMachinePasses();
  config->setInitialized();
  if (target.addAsmPrinter(passes, stream, nullptr, kObject, modules->getMMI().getContext())) {
    return false;
  }
  passes.add(llvm::createFreeMachineFunctionPass());
  return true;
#endif
}

// The BPF target's own passes: CO-RE accesses become relocations here, before anything can merge
// them.
llvm::ModulePassManager first_target_passes(llvm::PassBuilder &builder) {
#if LLVM_VERSION_MAJOR >= 17
  llvm::ModulePassManager passes;
  builder.invokePipelineStartEPCallbacks(passes, llvm::OptimizationLevel::O2);
#if LLVM_VERSION_MAJOR >= 20
  builder.invokePipelineEarlySimplificationEPCallbacks(passes, llvm::OptimizationLevel::O2,
                                                       llvm::ThinOrFullLTOPhase::None);
#else
  builder.invokePipelineEarlySimplificationEPCallbacks(passes, llvm::OptimizationLevel::O2);
#endif
  return passes;
#else
  // They can be had as parts of a whole pipeline alone: this is the smallest.
  return builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0);
#endif
}

void add_target_peepholes(llvm::PassBuilder &builder, llvm::FunctionPassManager &passes) {
#if LLVM_VERSION_MAJOR >= 17
  builder.invokePeepholeEPCallbacks(passes, llvm::OptimizationLevel::O2);
#else
  (void)builder;
  passes.addPass(llvm::SimplifyCFGPass(llvm::SimplifyCFGOptions().hoistCommonInsts(true)));
#endif
}

// LLVM's errors, which would end the process.
class Complaints : public llvm::DiagnosticHandler {
 public:
  explicit Complaints(std::string &text) : text_(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error) return true;
    llvm::raw_string_ostream stream(text_);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    return true;
  }

 private:
  std::string &text_;
};

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

  first_target_passes(builder).run(module, modules);
  llvm::FunctionPassManager straight, branching;
  for (llvm::FunctionPassManager *function_passes : {&straight, &branching}) {
    function_passes->addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    function_passes->addPass(llvm::EarlyCSEPass());
  }
  add_target_peepholes(builder, branching);
  branching.addPass(llvm::ADCEPass());
  branching.addPass(llvm::SimplifyCFGPass());
  for (llvm::Function &function : llvm::make_early_inc_range(module)) {
    if (function.isDeclaration()) continue;
    functions.clear(function, function.getName());
    straighten(function);
    (function.size() == 1 ? straight : branching).run(function, functions);
    functions.clear(function, function.getName());
    // What finds out whether a system call is traced, where all programs that asked are parts.
    if (function.hasLocalLinkage() && function.use_empty()) {
      function.eraseFromParent();
      continue;
    }
    cut_blocks(function);
    order_blocks(function);
    rematerialize_addresses(function);
  }
  // What names enumerators to the target is of no use any more.
  for (llvm::GlobalVariable &global : llvm::make_early_inc_range(module.globals())) {
    if (global.hasPrivateLinkage() && global.use_empty()) global.eraseFromParent();
  }
}

Result<std::vector<uint8_t>> emit_object(llvm::Module &module, llvm::TargetMachine &machine) {
  std::string complaint;
  module.getContext().setDiagnosticHandler(std::make_unique<Complaints>(complaint));
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (!add_machine_passes(machine, passes, stream, module)) {
    return Error{"LLVM's BPF target writes no object files"};
  }
  passes.run(module);
  if (!complaint.empty()) {
    bool is_stack = complaint.find("stack limit") != std::string::npos;
    return Error{"LLVM: " + complaint, is_stack ? kStackExceeded : EINVAL};
  }
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace awl::codegen
