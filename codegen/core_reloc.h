// CO-RE: which members of kernel structs the object uses, as local types of its own.
//
// The loader finds the members of the running kernel by name, so a local type holds only what is
// used: a struct of two hundred members with one that is read has one member here. Members must
// stand in the order of their offsets, and which ones there are is known only at the end; so
// accesses are collected as they are emitted and get their member's index in finalize().
#pragma once

#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>

#include <map>
#include <string>
#include <vector>

#include "codegen/debug_info.h"
#include "frontend/types/type.h"

namespace awl::codegen {

// What llvm.bpf.preserve.field.info can tell (enum bpf_core_relo_kind).
enum class FieldInfo : uint64_t {
  kByteOffset = 0,
  kByteSize = 1,
  kExists = 2,
  kSigned = 3,
  kLeftShift = 4,
  kRightShift = 5,
};

class CoreTypes {
 public:
  CoreTypes(llvm::Module &module, llvm::IRBuilder<> &builder, DebugInfo &debug,
            frontend::TypeStore &types);

  // Whether accesses on this path are relocated: it starts in a named struct of the kernel.
  static bool is_relocatable(const frontend::MemberPath &path);
  // i32
  llvm::Value *field_info(const frontend::MemberPath &path, FieldInfo info);
  llvm::Value *type_size(const frontend::StructDef *def);
  // i64; `is_existence` asks whether the kernel has the enumerator.
  llvm::Value *enumerator(const std::string &enum_name, uint32_t size, bool is_signed,
                          const std::string &name, int64_t value, bool is_existence);
  // Gives local types their members and accesses their indices.
  void finalize();

 private:
  struct Local {
    llvm::DICompositeType *type = nullptr;
    std::vector<const frontend::StructDef::Member *> members;  // those in use
  };
  struct Access {
    llvm::CallInst *call;
    const frontend::StructDef *owner;
    const frontend::StructDef::Member *member;
  };
  struct LocalEnum {
    llvm::DICompositeType *type = nullptr;
    std::vector<std::pair<std::string, int64_t>> values;
    bool is_signed = false;
  };

  // LLVM's pass keeps what it made of an access in a static table by the type's name, beyond the
  // end of the module. So the second and further modules of a process give types a flavor, as
  // libbpf calls it: "task_struct___1" is task_struct to loaders and another name to the table.
  // A name has one flavor at most, which libbpf cuts off at the last "___".
  std::string flavored(const std::string &name) const;
  llvm::DICompositeType *distinct_type(unsigned tag, const std::string &name, llvm::DIType *base,
                                       uint32_t size);
  Local &local(const frontend::StructDef *def);
  LocalEnum &local_enum(const std::string &name, uint32_t size, bool is_signed);
  void use(const frontend::StructDef *owner, const frontend::StructDef::Member *member);
  llvm::DIType *member_type(frontend::TypeRef type);
  void fill(const frontend::StructDef *def, Local &local);

  llvm::Module &module_;
  llvm::IRBuilder<> &builder_;
  DebugInfo &debug_;
  frontend::TypeStore &types_;
  std::map<const frontend::StructDef *, Local> locals_;
  std::vector<const frontend::StructDef *> order_;
  std::map<std::string, LocalEnum> enums_;
  std::vector<Access> accesses_;
  uint32_t serial_ = 0;
  uint32_t modules_before_;  // in this process
};

}  // namespace awl::codegen
