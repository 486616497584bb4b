// Programs and the object. The other parts of the Emitter are in emitter_memory.cpp,
// emitter_calls.cpp, maps.cpp, scratch.cpp, records.cpp, core_reloc.cpp and relocations.cpp.
#include "codegen/emitter.h"

#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <cassert>

#include "codegen/emitter_state.h"
#include "codegen/value_types.h"

namespace awl::codegen {
namespace {

std::string print_module(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

}  // namespace

Emitter::State::State(const frontend::CheckedProgram &program, const Options &wanted)
    : checked(program),
      options(wanted),
      machine(make_bpf_target()),
      module("awl", context),
      builder(context),
      debug(module, *program.sources),
      core(module, builder, debug, *program.types) {
  // Names of values are for people; they take time.
  context.setDiscardValueNames(!options.on_ir && !options.on_optimized_ir);
#if LLVM_VERSION_MAJOR >= 21
  module.setTargetTriple(machine->getTargetTriple());
#else
  module.setTargetTriple(machine->getTargetTriple().str());
#endif
  module.setDataLayout(machine->createDataLayout());
  auto *license = llvm::ConstantDataArray::getString(context, checked.config.license);
  auto *global = new llvm::GlobalVariable(module, license->getType(), true,
                                          llvm::GlobalValue::ExternalLinkage, license, "LICENSE");
  global->setSection("license");
  global->setAlignment(llvm::Align(1));
  debug.variable(global, debug.array(debug.character(), checked.config.license.size() + 1));
}

Emitter::Emitter(const frontend::CheckedProgram &program, const Options &options)
    : s_(std::make_unique<State>(program, options)) {
  s_->define_script_maps(*this);
}
Emitter::~Emitter() = default;

llvm::LLVMContext &Emitter::context() { return s_->context; }
llvm::Module &Emitter::module() { return s_->module; }
llvm::IRBuilder<> &Emitter::b() { return s_->builder; }
object::Description &Emitter::description() { return s_->description; }

// ---- programs ---------------------------------------------------------------------------------

namespace {

void open_exit(Frame &frame, llvm::LLVMContext &context) {
  frame.exit = llvm::BasicBlock::Create(context, "exit", frame.function);
  frame.exit_value =
      llvm::PHINode::Create(llvm::Type::getInt64Ty(context), 2, "result", frame.exit);
}

Frame open_frame(llvm::IRBuilder<> &b, llvm::Function *function) {
  Frame frame;
  frame.function = function;
  llvm::LLVMContext &context = function->getContext();
  auto *entry = llvm::BasicBlock::Create(context, "entry", function);
  auto *body = llvm::BasicBlock::Create(context, "body", function);
  b.SetInsertPoint(entry);
  frame.claim_edge = b.CreateBr(body);
  open_exit(frame, context);
  b.SetInsertPoint(body);
  return frame;
}

}  // namespace

llvm::Function *Emitter::begin_program(const std::string &name, const std::string &section,
                                       frontend::Span span) {
  assert(s_->frames.empty() && "a program is still open");
  llvm::IRBuilder<> &b = s_->builder;
  auto *type = llvm::FunctionType::get(b.getInt64Ty(), {b.getPtrTy()}, false);
  auto *function =
      llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, s_->module);
  function->setSection(section);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->getArg(0)->setName("ctx");

  Frame frame = open_frame(b, function);
  frame.span = span;
  frame.stack_left = kProgramStack;
  frame.program = static_cast<uint32_t>(s_->description.programs.size());
  frame.subprogram = s_->debug.subprogram(function, span, {"ctx"});
  s_->frames.push_back(frame);
  object::Program program;
  program.name = function->getName().str();
  program.section = section;
  s_->description.programs.push_back(std::move(program));
  b.SetCurrentDebugLocation(llvm::DebugLoc());
  set_location(span);
  frame.claim_edge->setDebugLoc(b.getCurrentDebugLocation());
  return function;
}

// Programs with a tail call get no stack of their own. That is found out before the verifier sees
// that this one is never reached; it drops all of it.
void Emitter::stay_on_stack_of_thread() {
  auto *type = llvm::FunctionType::get(s_->builder.getVoidTy(), false);
  const std::string text =
      "r0 = 0\n\tif r0 == 0 goto +1\n\tcall " + std::to_string(static_cast<int>(Helper::kTailCall));
  s_->builder.CreateCall(type, llvm::InlineAsm::get(type, text, "~{r0}", /*hasSideEffects=*/true));
}

llvm::Function *Emitter::begin_callback(const std::string &name,
                                        const std::vector<std::string> &parameters,
                                        frontend::Span span) {
  llvm::IRBuilder<> &b = s_->builder;
  std::vector<llvm::Type *> types;
  for (const std::string &parameter : parameters) {
    bool is_pointer = DebugInfo::is_pointer_parameter(parameter);
    types.push_back(is_pointer ? static_cast<llvm::Type *>(b.getPtrTy()) : b.getInt64Ty());
  }
  auto resume = b.saveIP();
  llvm::DebugLoc resume_location = b.getCurrentDebugLocation();
  auto *type = llvm::FunctionType::get(b.getInt64Ty(), types, false);
  auto *function =
      llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, s_->module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr(llvm::Attribute::NoInline);
  for (size_t i = 0; i < parameters.size(); ++i) {
    function->getArg(static_cast<unsigned>(i))->setName(parameters[i]);
  }
  uint32_t program = program_index();
  Frame frame = open_frame(b, function);
  frame.span = span;
  frame.stack_left = kCallbackStack;
  frame.program = program;
  frame.resume = resume;
  frame.resume_location = resume_location;
  frame.subprogram = s_->debug.subprogram(function, span, parameters);
  s_->frames.push_back(frame);
  b.SetCurrentDebugLocation(llvm::DebugLoc());
  set_location(span);
  frame.claim_edge->setDebugLoc(b.getCurrentDebugLocation());
  return function;
}

void Emitter::emit_return(llvm::Value *value) {
  Frame &frame = s_->frame();
  if (!value) value = i64(frame.default_return);
  frame.exit_value->addIncoming(value, s_->builder.GetInsertBlock());
  s_->builder.CreateBr(frame.exit);
}

void Emitter::set_default_return(int64_t value) { s_->frame().default_return = value; }

void Emitter::chain_programs() {
  s_->frame().next_programs = s_->own_map(object::kNextProgramsMap);
}

// bpf_tail_call() returns only when there is no next program.
void Emitter::State::call_next_program(Emitter &emitter, llvm::Value *result) {
  llvm::BasicBlock *next = emitter.new_block("next_program"), *end = emitter.new_block("return");
  llvm::Value *is_default = builder.CreateICmpEQ(result, emitter.i64(frame().default_return));
  builder.CreateCondBr(is_default, next, end);
  builder.SetInsertPoint(next);
  llvm::Value *index = relocations.next_program(builder, frame().program);
  emitter.call(Helper::kTailCall, {emitter.ctx(), frame().next_programs, index});
  builder.CreateBr(end);
  builder.SetInsertPoint(end);
}

void Emitter::end_predicate() {
  Frame &frame = s_->frame();
  if (frame.scratch) return;
  auto *body = new_block("body");
  // Returns so far hold no scratch: they keep the exit they have.
  if (frame.exit_value->getNumIncomingValues() > 0) {
    frame.early_exit = frame.exit;
    frame.early_exit_value = frame.exit_value;
    open_exit(frame, s_->context);
  }
  frame.claim_edge = s_->builder.CreateBr(body);
  s_->builder.SetInsertPoint(body);
}

void Emitter::State::close_frame(Emitter &emitter) {
  Frame &frame = frames.back();
  for (auto [block, value] : {std::pair{frame.exit, frame.exit_value},
                              std::pair{frame.early_exit, frame.early_exit_value}}) {
    if (!block) continue;
    if (value->getNumIncomingValues() == 0) {
      block->eraseFromParent();
      continue;
    }
    builder.SetInsertPoint(block);
    bool is_own = frame.scratch && !frame.is_scratch_borrowed;
    if (block == frame.exit && is_own) release_scratch();
    if (frame.next_programs) call_next_program(emitter, value);
    builder.CreateRet(value);
  }
}

void Emitter::end_program() {
  assert(s_->frames.size() == 1);
  llvm::BasicBlock *block = s_->builder.GetInsertBlock();
  if (block && !block->getTerminator()) emit_return();
  s_->close_frame(*this);
  s_->frames.clear();
  s_->builder.ClearInsertionPoint();
}

void Emitter::end_callback() {
  assert(s_->frames.size() > 1);
  llvm::BasicBlock *block = s_->builder.GetInsertBlock();
  if (block && !block->getTerminator()) emit_return();
  s_->close_frame(*this);
  Frame frame = s_->frame();
  s_->frames.pop_back();
  s_->builder.restoreIP(frame.resume);
  s_->builder.SetCurrentDebugLocation(frame.resume_location);
}

size_t Emitter::depth() const { return s_->frames.size(); }

uint32_t Emitter::program_index() const {
  assert(!s_->frames.empty());
  return s_->frames.back().program;
}

llvm::Value *Emitter::ctx() { return s_->frame().function->getArg(0); }

void Emitter::set_location(frontend::Span span) {
  Frame &frame = s_->frame();
  llvm::DILocation *location = s_->debug.location(span, frame.span.source, frame.subprogram);
  if (location) s_->builder.SetCurrentDebugLocation(location);
}

llvm::BasicBlock *Emitter::new_block(const std::string &name) {
  return llvm::BasicBlock::Create(s_->context, name, s_->frame().function);
}

// ---- types ------------------------------------------------------------------------------------

llvm::Type *Emitter::llvm_type(frontend::TypeRef type) {
  if (type->kind == frontend::TypeKind::kVoid) return s_->builder.getVoidTy();
  if (type->is_pointer()) return s_->builder.getPtrTy();
  uint32_t size = s_->checked.types->size_of(type);
  bool is_word = size == 1 || size == 2 || size == 4 || size == 8;
  bool is_bytes = type->is_composite() || type->kind == frontend::TypeKind::kUserSymbol ||
                  type->kind == frontend::TypeKind::kHist ||
                  type->kind == frontend::TypeKind::kLhist ||
                  type->kind == frontend::TypeKind::kTseries;
  if (is_word && !is_bytes) return s_->builder.getIntNTy(size * 8);
  return llvm::ArrayType::get(s_->builder.getInt8Ty(), size);
}

object::ValueType Emitter::value_type(frontend::TypeRef type) {
  return codegen::value_type(type, *s_->checked.types);
}

object::Location Emitter::location(frontend::Span span) {
  object::Location result;
  if (span.source >= s_->checked.sources->size()) return result;
  const frontend::Source &source = s_->checked.sources->source(span.source);
  frontend::LineColumn begin = source.position(span.begin), end = source.position(span.end);
  result.line = begin.line;
  result.column = begin.column;
  result.end_line = end.line;
  result.end_column = end.column;
  return result;
}

// ---- the object -----------------------------------------------------------------------------

llvm::Function *Emitter::imported_function(const frontend::ImportedFunction &function) {
  if (llvm::Function *known = s_->module.getFunction(function.name)) return known;
  llvm::Type *word = b().getInt64Ty();
  std::vector<llvm::Type *> parameters(function.parameters.size(), word);
  llvm::Function *declared =
      llvm::Function::Create(llvm::FunctionType::get(word, parameters, /*isVarArg=*/false),
                             llvm::GlobalValue::ExternalLinkage, function.name, s_->module);
  s_->debug.declare(declared, function);
  return declared;
}

namespace {

Status verify(const llvm::Module &module, const Options &options) {
#ifdef AWL_VERIFY_IR
  constexpr bool kAlways = true;
#else
  constexpr bool kAlways = false;
#endif
  if (!kAlways && !options.verifies_ir) return ok();
  std::string defect;
  llvm::raw_string_ostream stream(defect);
  if (!llvm::verifyModule(module, &stream)) return ok();
  return Error{"the generated code is malformed: " + stream.str()};
}

}  // namespace

Result<object::Object> Emitter::finish() {
  assert(s_->frames.empty());
  s_->resolve_first_slots(*this);
  s_->define_own_maps();
  s_->define_zeros();
  s_->core.finalize();
  s_->debug.finalize();
  if (s_->options.on_description) s_->options.on_description(s_->description);
  if (s_->options.on_ir) s_->options.on_ir(print_module(s_->module));

  if (Status status = verify(s_->module, s_->options); !status) return status.error();
  optimize(s_->module, *s_->machine);
  if (s_->options.on_optimized_ir) s_->options.on_optimized_ir(print_module(s_->module));

  auto elf = emit_object(s_->module, *s_->machine);
  if (!elf) return elf.error();
  if (Status status = s_->relocations.resolve(*elf, s_->description); !status) {
    return status.error();
  }
  return object::Object{std::move(*elf), s_->description};
}

}  // namespace awl::codegen
