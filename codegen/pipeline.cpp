#include "codegen/pipeline.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/SmallVector.h>
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
void leave_out_passes() {
  auto &options = llvm::cl::getRegisteredOptions();
  for (const char *name : {"disable-block-placement", "disable-lsr", "disable-machine-licm",
                           "disable-postra-machine-licm"}) {
    auto option = options.find(name);
    assert(option != options.end());
    static_cast<llvm::cl::opt<bool> *>(option->second)->setValue(true);
  }
}

void order_blocks(llvm::Function &function) {
  llvm::ReversePostOrderTraversal<llvm::Function *> order(&function);
  llvm::BasicBlock *last = nullptr;
  for (llvm::BasicBlock *block : order) {
    if (last) block->moveAfter(last);
    last = block;
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
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      name, "v3", "", llvm::TargetOptions(), std::nullopt, std::nullopt, level));
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
  function_passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  function_passes.addPass(llvm::InstCombinePass());
  function_passes.addPass(llvm::SimplifyCFGPass());
  builder.invokePeepholeEPCallbacks(function_passes, level);
  function_passes.addPass(llvm::ADCEPass());
  function_passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(function_passes)));
  passes.run(module, modules);
  for (llvm::Function &function : module) {
    if (!function.isDeclaration()) order_blocks(function);
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
