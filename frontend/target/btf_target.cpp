#include "frontend/target/btf_target.h"

#include <linux/btf.h>

namespace awl::frontend {
namespace {

class BtfResolver : public TypeStore::Resolver {
 public:
  explicit BtfResolver(std::shared_ptr<BtfTypes> types) : types_(std::move(types)) {}

  TypeRef find_struct(const std::string &tag, bool is_union) override {
    return types_->find_struct(tag, is_union);
  }
  TypeRef find_enum(const std::string &tag) override { return types_->find_enum(tag); }
  TypeRef find_typedef(const std::string &name) override { return types_->find_typedef(name); }
  bool find_constant(const std::string &name, TypeStore::Constant *out) override {
    return types_->find_constant(name, out);
  }
  void complete(StructDef *def) override { types_->complete(def); }

 private:
  std::shared_ptr<BtfTypes> types_;
};

}  // namespace

std::unique_ptr<TypeStore::Resolver> BtfTarget::type_resolver(TypeStore &store) {
  types_ = std::make_shared<BtfTypes>(*kernel_, store);
  return std::make_unique<BtfResolver>(types_);
}

BtfTypes &BtfTarget::types_for(TypeStore &store) {
  if (!types_ || &types_->store() != &store) types_ = std::make_shared<BtfTypes>(*kernel_, store);
  return *types_;
}

std::optional<FunctionSignature> BtfTarget::kernel_function(TypeStore &store,
                                                            const std::string &module,
                                                            const std::string &name) {
  return find_kernel_function(*kernel_, types_for(store), module, name);
}

std::optional<FunctionSignature> BtfTarget::raw_tracepoint(TypeStore &store,
                                                           const std::string &name) {
  return find_raw_tracepoint(*kernel_, types_for(store), name);
}

std::vector<std::string> BtfTarget::typed_functions(const std::string &module,
                                                    const std::string &name) {
  return list_typed_functions(*kernel_, module, name);
}

std::vector<std::string> BtfTarget::btf_names(const std::string &prefix, bool is_function) {
  return list_names(*kernel_, prefix, is_function ? BTF_KIND_FUNC : BTF_KIND_STRUCT);
}

std::vector<std::string> BtfTarget::raw_tracepoints() { return list_raw_tracepoints(*kernel_); }

}  // namespace awl::frontend
