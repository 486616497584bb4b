// What the code of a user probe is told about the place that is traced: where the arguments of a
// static probe are, and how far away symbols lie.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/elf_symbols.h"
#include "base/result.h"
#include "base/usdt_arguments.h"
#include "runtime/attach/family.h"
#include "runtime/object/description.h"

namespace awl::runtime {

class UserPatches {
 public:
  explicit UserPatches(const AttachContext &context) : context_(context) {}

  // The value of a kUsdtArgument or kUserSymbol relocation for a target. Errors: the probe has
  // fewer arguments there, one that cannot be read, or there is no such symbol.
  Result<int32_t> find(const Target &target, const object::Relocation &relocation);

 private:
  Result<int32_t> find_argument(const Target &target, const object::Relocation &relocation);
  Result<int32_t> find_symbol(const Target &target, const object::Relocation &relocation);
  const std::vector<UsdtArgument> &arguments_of(const Target &target);
  std::optional<uint64_t> symbol_address(const Target &target, const std::string &name);

  const AttachContext &context_;
  // Of the place asked for last: a program asks for all fields of a place in a row.
  const Target *last_ = nullptr;
  std::vector<UsdtArgument> arguments_;
  std::map<std::string, std::shared_ptr<const ElfSymbols>> files_;
};

}  // namespace awl::runtime
