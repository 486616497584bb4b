// Debug information of the module: from it LLVM makes .BTF and .BTF.ext, nothing else.
//
// The script's text is embedded in the DIFile, so that line info quotes the script itself (and the
// verifier with it) wherever the object was built. Every program has a DISubprogram, which becomes
// its BTF function; every map and variable has a type that tools can print.
#pragma once

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/Module.h>

#include <map>
#include <string>
#include <vector>

#include "frontend/checked_program.h"
#include "frontend/source/source.h"
#include "runtime/object/value_type.h"

namespace awl::codegen {

class DebugInfo {
 public:
  struct Member {
    std::string name;
    llvm::DIType *type;
    uint32_t offset;  // bytes
  };

  DebugInfo(llvm::Module &module, const frontend::SourceManager &sources);

  llvm::DIBuilder &builder() { return builder_; }
  llvm::DIFile *file(frontend::SourceId source);
  llvm::DICompileUnit *unit() { return unit_; }

  // The function's BTF: `u64 name(<parameters>)`. Parameters are u64, but those named "ctx", "map",
  // "key" and "value", which are pointers.
  static bool is_pointer_parameter(const std::string &name);
  llvm::DISubprogram *subprogram(llvm::Function *function, frontend::Span span,
                                 const std::vector<std::string> &parameters);
  // Of a function that another object defines: the linker compares the types of both.
  void declare(llvm::Function *function, const frontend::ImportedFunction &imported);
  // Null when the span is not in the subprogram's own file: BTF has one file per function.
  llvm::DILocation *location(frontend::Span span, frontend::SourceId source,
                             llvm::DISubprogram *subprogram);

  // ---- types, named as in C so that skeletons made from the object compile
  llvm::DIType *integer(uint32_t bytes, bool is_signed);
  llvm::DIType *boolean();
  llvm::DIType *character();
  llvm::DIType *pointer(llvm::DIType *to);  // to null: void *
  llvm::DIType *array(llvm::DIType *element, uint64_t count);
  llvm::DIType *structure(const std::string &name, const std::vector<Member> &members,
                          uint32_t size);
  llvm::DIType *read_only(llvm::DIType *type);  // const volatile
  // How a value of a map or record lies in memory.
  llvm::DIType *value(const object::ValueType &type);

  void variable(llvm::GlobalVariable *global, llvm::DIType *type);
  void finalize();

 private:
  llvm::DIType *declared(frontend::TypeRef type);
  llvm::DIType *fields(const object::ValueType &type);
  llvm::DIType *basic(const char *name, uint32_t bits, unsigned encoding);

  const frontend::SourceManager &sources_;
  llvm::DIBuilder builder_;
  std::map<frontend::SourceId, llvm::DIFile *> files_;
  llvm::DICompileUnit *unit_;
};

}  // namespace awl::codegen
