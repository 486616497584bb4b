// The part of a Target that answers from BTF; the live host and snapshots share it.
#pragma once

#include <memory>
#include <utility>

#include "frontend/target/kernel_btf.h"
#include "frontend/target/target.h"

namespace awl::frontend {

class BtfTarget : public Target {
 public:
  std::unique_ptr<TypeStore::Resolver> type_resolver(TypeStore &store) override;
  std::optional<FunctionSignature> kernel_function(TypeStore &store, const std::string &module,
                                                   const std::string &name) override;
  std::optional<FunctionSignature> raw_tracepoint(TypeStore &store,
                                                  const std::string &name) override;
  std::vector<std::string> raw_tracepoints() override;
  std::vector<std::string> typed_functions(const std::string &module,
                                           const std::string &name) override;
  std::vector<std::string> btf_names(const std::string &prefix, bool is_function) override;

 protected:
  explicit BtfTarget(std::unique_ptr<KernelBtf> kernel) : kernel_(std::move(kernel)) {}

  std::unique_ptr<KernelBtf> kernel_;

 private:
  // The types made for a store are found again by whoever asks for the same store, so that equal
  // types stay one object. A new resolver for a store starts afresh.
  BtfTypes &types_for(TypeStore &store);

  std::shared_ptr<BtfTypes> types_;
};

}  // namespace awl::frontend
