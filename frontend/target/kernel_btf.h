// The kernel's BTF as a script sees it: vmlinux and its modules as one collection of named types,
// turned into the language's types on demand.
//
// Opened lazily: vmlinux with the first question, modules only when vmlinux has no answer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/target/btf_reader.h"
#include "frontend/target/target.h"
#include "frontend/types/type.h"

namespace awl::frontend {

class KernelBtf {
 public:
  using BtfRef = std::shared_ptr<const Btf>;
  virtual ~KernelBtf() = default;

  // Null: there is none, or it cannot be read.
  const Btf *vmlinux();
  const std::vector<BtfRef> &modules();
  // vmlinux for an empty name. Null: no such module.
  const Btf *find(const std::string &module);

  // A type by name: in vmlinux, else in the first module that has it.
  struct Found {
    const Btf *btf = nullptr;  // null: not found
    uint32_t id = 0;
  };
  Found find_type(const std::string &name, uint32_t kinds);
  Found find_type_in(const std::string &module, const std::string &name, uint32_t kinds);
  Found find_enumerator(const std::string &name, int64_t *value);

 protected:
  virtual Result<BtfRef> open_vmlinux() = 0;
  virtual std::vector<BtfRef> open_modules(const BtfRef &vmlinux) = 0;

 private:
  bool vmlinux_tried_ = false, modules_tried_ = false;
  BtfRef vmlinux_;
  std::vector<BtfRef> modules_;
};

// BTF files in a folder, as /sys/kernel/btf: `vmlinux`, and one more for each module.
std::unique_ptr<KernelBtf> make_kernel_btf(const std::string &folder);

// Makes types of one TypeStore from BTF, each once, so that they can be compared by address.
// Structs come without members; complete() adds them.
class BtfTypes {
 public:
  BtfTypes(KernelBtf &kernel, TypeStore &store) : kernel_(kernel), store_(store) {}
  // Those of a compiled object, whose members lie where its compiler has put them. What `first`
  // knows is taken from there.
  BtfTypes(KernelBtf &object, TypeStore &store, TypeStore::Resolver &first)
      : kernel_(object), store_(store), first_(&first) {}

  TypeStore &store() { return store_; }
  TypeRef find_struct(const std::string &tag, bool is_union);
  TypeRef find_enum(const std::string &tag);
  TypeRef find_typedef(const std::string &name);
  bool find_constant(const std::string &name, TypeStore::Constant *out);
  void complete(StructDef *def);

  // The language's type for one of BTF; void for what has none (functions, malformed types).
  TypeRef type_of(const Btf &btf, uint32_t id);
  // Parameters from the `first` on and result of a FUNC or FUNC_PROTO.
  std::optional<FunctionSignature> signature(const Btf &btf, uint32_t id, uint32_t first = 0);

 private:
  // `depth` bounds chains that a malformed BTF could make endless.
  TypeRef convert(const Btf &btf, uint32_t id, uint32_t depth);
  TypeRef convert_new(const Btf &btf, uint32_t id, uint32_t depth);
  TypeRef integer_type(const Btf &btf, const btf_type &type);
  TypeRef pointer_type(const Btf &btf, uint32_t pointee, uint32_t depth);
  TypeRef array_type(const Btf &btf, uint32_t id, const btf_type &type, uint32_t depth);
  TypeRef struct_type(const Btf &btf, uint32_t id, const btf_type &type);
  TypeRef enum_type(const Btf &btf, const btf_type &type);
  bool is_kernel() const { return first_ == nullptr; }

  KernelBtf &kernel_;
  TypeStore &store_;
  TypeStore::Resolver *const first_ = nullptr;
  std::map<std::pair<const Btf *, uint32_t>, TypeRef> types_;
};

// A type as C writes it: "struct path *", "char[16]", "int (*)(struct file *)".
std::string type_text(const Btf &btf, uint32_t id);

// What both kinds of Target answer from BTF.
std::optional<FunctionSignature> find_kernel_function(KernelBtf &kernel, BtfTypes &types,
                                                      const std::string &module,
                                                      const std::string &name);
std::optional<FunctionSignature> find_raw_tracepoint(KernelBtf &kernel, BtfTypes &types,
                                                     const std::string &name);
std::vector<std::string> list_raw_tracepoints(KernelBtf &kernel);
std::vector<std::string> list_typed_functions(KernelBtf &kernel, const std::string &module,
                                              const std::string &name);
// Names of a kind in vmlinux that start with a prefix, without it.
std::vector<std::string> list_names(KernelBtf &kernel, const std::string &prefix, uint32_t kind);

}  // namespace awl::frontend
