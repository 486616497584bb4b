// Instructions that the loader patches (object::Relocation).
//
// Where an instruction ends up is known only after the object is written. So each is emitted as
// inline assembly behind a label "awl.rel.<n>.<unique>"; the optimiser may copy or drop it, and
// the labels that are left in the symbol table tell where the instructions are. They stay there:
// to loaders they are local symbols without a type, as branch targets are.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/object/description.h"

namespace awl::codegen {

class RelocationTable {
 public:
  // `program` is the index in the description of the program that is being emitted.
  // i64 = *(u<size> *)(base + offset of the field)
  llvm::Value *load_field(llvm::IRBuilder<> &b, uint32_t program, llvm::Value *base,
                          const std::string &field, uint32_t offset, uint32_t size);
  // i64 = *(u64 *)(context + offset of the argument)
  llvm::Value *load_argument(llvm::IRBuilder<> &b, uint32_t program, llvm::Value *context,
                             const std::string &argument, uint32_t offset);
  // ptr = base + offset of the field
  llvm::Value *field_address(llvm::IRBuilder<> &b, uint32_t program, llvm::Value *base,
                             const std::string &field, uint32_t offset, uint32_t size);
  // i64: a register in the context `base`, or a constant: `field` of an argument of a usdt probe.
  llvm::Value *load_usdt_register(llvm::IRBuilder<> &b, uint32_t program, llvm::Value *base,
                                  const std::string &field, uint32_t argument);
  llvm::Value *usdt_constant(llvm::IRBuilder<> &b, uint32_t program, const std::string &field,
                             uint32_t argument);
  // i64: 32 bits, signed, of a symbol of the traced binary.
  llvm::Value *user_symbol_part(llvm::IRBuilder<> &b, uint32_t program, const std::string &symbol,
                                object::UserSymbolPart part);
  // i64: the probe id, or -1 where the loader wants the attach cookie asked for.
  llvm::Value *probe_id(llvm::IRBuilder<> &b, uint32_t program);
  // i64: the length of the link header, as Emitter::link_header().
  llvm::Value *link_header(llvm::IRBuilder<> &b, uint32_t program);
  // i64: the index of the next program, as Emitter::chain_programs() uses it.
  llvm::Value *next_program(llvm::IRBuilder<> &b, uint32_t program);

  // i64: 1 where the program is attached as a session, else 0.
  llvm::Value *session(llvm::IRBuilder<> &b, uint32_t program);
  // i64: what a function of sessions (object::kSession…) says of the context.
  llvm::Value *session_call(llvm::IRBuilder<> &b, uint32_t program, const std::string &function,
                            llvm::Value *context);

  // Finds the instructions in the object and adds them to their programs' relocations. A program
  // with one attach point that is no wildcard gets the id that it will have if every attach point
  // before it has one target, so that loaders which patch nothing ask for no cookie.
  Status resolve(std::vector<uint8_t> &object, object::Description &description) const;

 private:
  struct Entry {
    uint32_t program;
    object::Relocation relocation;
  };
  // Notes an entry and gives the label to put before the instruction.
  std::string add(uint32_t program, object::Relocation relocation);
  llvm::Value *constant(llvm::IRBuilder<> &b, uint32_t program, object::Relocation::Kind kind,
                        int32_t value);
  std::vector<Entry> entries_;  // by label number
};

}  // namespace awl::codegen
