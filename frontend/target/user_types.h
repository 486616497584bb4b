// The types and functions of the user binaries that a script names.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frontend/target/dwarf_types.h"
#include "frontend/target/target.h"

namespace awl::frontend {

class UserTypes {
 public:
  explicit UserTypes(TypeStore &store) : store_(store) {}

  TypeStore &store() const { return store_; }
  // Says that a script traces a binary: names that the kernel does not know are looked for there.
  void add_binary(const std::string &path);
  // The types of a binary; an Error when it has no debug information.
  Result<DwarfTypes *> open(const std::string &path, DebugFiles files = DebugFiles::kInstalled);

  // Asks `first`, then the binaries.
  std::unique_ptr<TypeStore::Resolver> resolver_behind(std::unique_ptr<TypeStore::Resolver> first);

 private:
  friend class UserResolver;
  TypeStore &store_;
  std::vector<std::string> binaries_;
  std::map<std::string, Result<std::unique_ptr<DwarfTypes>>> types_;  // by path, when asked for
};

}  // namespace awl::frontend
