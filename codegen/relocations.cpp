#include "codegen/relocations.h"

#include <llvm/IR/InlineAsm.h>

#include <cassert>
#include <charconv>
#include <cstring>
#include <string_view>

#include "codegen/object_writer.h"

namespace awl::codegen {
namespace {

constexpr std::string_view kLabelPrefix = "awl.rel.";
constexpr uint64_t kInstructionSize = 8;
constexpr uint64_t kImmediateOffset = 4;  // in an instruction

llvm::Value *assemble(llvm::IRBuilder<> &b, llvm::Type *result,
                      const std::vector<llvm::Value *> &arguments, const std::string &text,
                      const std::string &constraints) {
  std::vector<llvm::Type *> types;
  for (llvm::Value *argument : arguments) types.push_back(argument->getType());
  auto *type = llvm::FunctionType::get(result, types, false);
  auto *code = llvm::InlineAsm::get(type, text, constraints, /*hasSideEffects=*/false);
  llvm::CallInst *call = b.CreateCall(type, code, arguments);
  call->setDoesNotThrow();
  call->setDoesNotAccessMemory();
  return call;
}

// The number in "awl.rel.<n>.<unique>"; false for other names.
bool parse_label(std::string_view name, size_t *number) {
  if (!name.starts_with(kLabelPrefix)) return false;
  name.remove_prefix(kLabelPrefix.size());
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), *number);
  return error == std::errc() && end != name.data() + name.size() && *end == '.';
}

// The id of a program's only target, if all attach points before it have one target each; -1
// where it may have several.
int32_t built_probe_id(const object::Description &description, const object::Program &wanted) {
  int32_t id = 0;
  for (const object::Program &program : description.programs) {
    if (&program == &wanted) break;
    id += static_cast<int32_t>(program.attach_points.size());
  }
  bool is_single = wanted.attach_points.size() == 1 && !wanted.attach_points[0].has_wildcard;
  return is_single ? id : -1;
}

object::Relocation field_relocation(const std::string &field, uint32_t offset, uint32_t size,
                                    bool is_add) {
  object::Relocation relocation;
  relocation.kind = object::Relocation::Kind::kTracepointField;
  relocation.field = field;
  relocation.size = size;
  relocation.is_add = is_add;
  relocation.built_value = static_cast<int32_t>(offset);
  return relocation;
}

object::Relocation usdt_relocation(const std::string &field, uint32_t argument, bool is_add) {
  object::Relocation relocation;
  relocation.kind = object::Relocation::Kind::kUsdtArgument;
  relocation.field = field;
  relocation.argument = argument;
  relocation.is_add = is_add;
  return relocation;
}

}  // namespace

// ${:uid} differs in every copy that the optimiser makes.
std::string RelocationTable::add(uint32_t program, object::Relocation relocation) {
  entries_.push_back({program, std::move(relocation)});
  return std::string(kLabelPrefix) + std::to_string(entries_.size() - 1) + ".${:uid}: ";
}

llvm::Value *RelocationTable::load_field(llvm::IRBuilder<> &b, uint32_t program, llvm::Value *base,
                                         const std::string &field, uint32_t offset, uint32_t size) {
  assert(size == 1 || size == 2 || size == 4 || size == 8);
  std::string label = add(program, field_relocation(field, offset, size, false));
  std::string text =
      label + "$0 = *(u" + std::to_string(size * 8) + " *)($1 + " + std::to_string(offset) + ")";
  return assemble(b, b.getInt64Ty(), {base}, text, "=r,r");
}

llvm::Value *RelocationTable::load_argument(llvm::IRBuilder<> &b, uint32_t program,
                                            llvm::Value *context, const std::string &argument,
                                            uint32_t offset) {
  object::Relocation relocation = field_relocation(argument, offset, 8, false);
  relocation.kind = object::Relocation::Kind::kFunctionArgument;
  std::string text =
      add(program, relocation) + "$0 = *(u64 *)($1 + " + std::to_string(offset) + ")";
  return assemble(b, b.getInt64Ty(), {context}, text, "=r,r");
}

llvm::Value *RelocationTable::field_address(llvm::IRBuilder<> &b, uint32_t program,
                                            llvm::Value *base, const std::string &field,
                                            uint32_t offset, uint32_t size) {
  std::string label = add(program, field_relocation(field, offset, size, true));
  return assemble(b, b.getPtrTy(), {base}, label + "$0 += " + std::to_string(offset), "=r,0");
}

llvm::Value *RelocationTable::load_usdt_register(llvm::IRBuilder<> &b, uint32_t program,
                                                 llvm::Value *base, const std::string &field,
                                                 uint32_t argument) {
  std::string label = add(program, usdt_relocation(field, argument, false));
  return assemble(b, b.getInt64Ty(), {base}, label + "$0 = *(u64 *)($1 + 0)", "=r,r");
}

llvm::Value *RelocationTable::usdt_constant(llvm::IRBuilder<> &b, uint32_t program,
                                            const std::string &field, uint32_t argument) {
  std::string label = add(program, usdt_relocation(field, argument, true));
  return assemble(b, b.getInt64Ty(), {}, label + "$0 = 0", "=r");
}

llvm::Value *RelocationTable::user_symbol_part(llvm::IRBuilder<> &b, uint32_t program,
                                               const std::string &symbol,
                                               object::UserSymbolPart part) {
  object::Relocation relocation;
  relocation.kind = object::Relocation::Kind::kUserSymbol;
  relocation.field = symbol;
  relocation.argument = part;
  relocation.is_add = true;
  return assemble(b, b.getInt64Ty(), {}, add(program, relocation) + "$0 = 0", "=r");
}

llvm::Value *RelocationTable::constant(llvm::IRBuilder<> &b, uint32_t program,
                                       object::Relocation::Kind kind, int32_t value) {
  object::Relocation relocation;
  relocation.kind = kind;
  relocation.is_add = true;
  relocation.built_value = value;
  std::string text = add(program, relocation) + "$0 = " + std::to_string(value);
  return assemble(b, b.getInt64Ty(), {}, text, "=r");
}

llvm::Value *RelocationTable::probe_id(llvm::IRBuilder<> &b, uint32_t program) {
  return constant(b, program, object::Relocation::Kind::kProbeId, -1);
}

llvm::Value *RelocationTable::link_header(llvm::IRBuilder<> &b, uint32_t program) {
  return constant(b, program, object::Relocation::Kind::kLinkHeader, object::kEthernetHeader);
}

llvm::Value *RelocationTable::next_program(llvm::IRBuilder<> &b, uint32_t program) {
  return constant(b, program, object::Relocation::Kind::kNextProgram, -1);
}

llvm::Value *RelocationTable::session(llvm::IRBuilder<> &b, uint32_t program) {
  return constant(b, program, object::Relocation::Kind::kSession, 0);
}

llvm::Value *RelocationTable::session_call(llvm::IRBuilder<> &b, uint32_t program,
                                           const std::string &function, llvm::Value *context) {
  object::Relocation relocation;
  relocation.kind = object::Relocation::Kind::kSession;
  relocation.field = function;
  relocation.built_value = object::kNoHelper;
  const std::string text =
      "r1 = $1\n\t" + add(program, relocation) + "call " + std::to_string(relocation.built_value);
  auto *type = llvm::FunctionType::get(b.getInt64Ty(), {context->getType()}, false);
  llvm::CallInst *call = b.CreateCall(
      type,
      llvm::InlineAsm::get(type, text, "={r0},r,~{r1},~{r2},~{r3},~{r4},~{r5},~{memory}",
                           /*hasSideEffects=*/true),
      {context});
  call->setDoesNotThrow();
  return call;
}

Status RelocationTable::resolve(std::vector<uint8_t> &object,
                                object::Description &description) const {
  if (entries_.empty()) return ok();
  auto symbols = read_symbols(object);
  if (!symbols) return symbols.error();
  for (const ElfSymbol &symbol : *symbols) {
    size_t number = 0;
    if (!parse_label(symbol.name, &number)) continue;
    bool is_sound = number < entries_.size() && symbol.value % kInstructionSize == 0 &&
                    object.size() >= kInstructionSize &&
                    symbol.file_offset <= object.size() - kInstructionSize;
    if (!is_sound) return Error{"misplaced label in the object: " + std::string(symbol.name)};
    object::Program &program = description.programs.at(entries_[number].program);
    object::Relocation relocation = entries_[number].relocation;
    relocation.instruction = static_cast<uint32_t>(symbol.value / kInstructionSize);
    relocation.is_in_text = symbol.section != program.section;
    if (relocation.kind == object::Relocation::Kind::kProbeId) {
      relocation.built_value = built_probe_id(description, program);
      std::memcpy(&object[symbol.file_offset + kImmediateOffset], &relocation.built_value, 4);
    }
    program.relocations.push_back(std::move(relocation));
  }
  return ok();
}

}  // namespace awl::codegen
