#include "frontend/target/user_types.h"

#include <algorithm>
#include <utility>

namespace awl::frontend {

class UserResolver : public TypeStore::Resolver {
 public:
  UserResolver(UserTypes &user, std::unique_ptr<TypeStore::Resolver> first)
      : user_(user), first_(std::move(first)) {}

  TypeRef find_struct(const std::string &tag, bool is_union) override {
    if (DwarfTypes *types = named_binary(tag)) {
      return types->find_struct(tag.substr(tag.rfind(':') + 1), is_union);
    }
    if (TypeRef type = first_->find_struct(tag, is_union)) return type;
    return find([&](DwarfTypes &types) { return types.find_struct(tag, is_union); });
  }
  TypeRef find_enum(const std::string &tag) override {
    if (DwarfTypes *types = named_binary(tag)) {
      return types->find_enum(tag.substr(tag.rfind(':') + 1));
    }
    if (TypeRef type = first_->find_enum(tag)) return type;
    return find([&](DwarfTypes &types) { return types.find_enum(tag); });
  }
  TypeRef find_typedef(const std::string &name) override {
    if (TypeRef type = first_->find_typedef(name)) return type;
    return find([&](DwarfTypes &types) { return types.find_typedef(name); });
  }
  bool find_constant(const std::string &name, TypeStore::Constant *out) override {
    if (first_->find_constant(name, out)) return true;
    for (const std::string &path : user_.binaries_) {
      Result<DwarfTypes *> types = user_.open(path);
      if (types && (*types)->find_constant(name, out)) return true;
    }
    return false;
  }
  void complete(StructDef *def) override {
    for (const auto &[path, types] : user_.types_) {
      if (types && (*types)->complete(def)) return;
    }
    first_->complete(def);
  }

 private:
  // The binary in front of "BINARY:TAG"; null: none, or one without debug information.
  DwarfTypes *named_binary(const std::string &tag) {
    const size_t colon = tag.rfind(':');
    if (colon == std::string::npos) return nullptr;
    for (const std::string &path : user_.binaries_) {
      if (!path.ends_with(tag.substr(0, colon))) continue;
      Result<DwarfTypes *> types = user_.open(path);
      return types ? *types : nullptr;
    }
    return nullptr;
  }

  template <class F>
  TypeRef find(F ask) {
    for (const std::string &path : user_.binaries_) {
      Result<DwarfTypes *> types = user_.open(path);
      if (!types) continue;
      if (TypeRef type = ask(**types)) return type;
    }
    return nullptr;
  }

  UserTypes &user_;
  std::unique_ptr<TypeStore::Resolver> first_;
};

void UserTypes::add_binary(const std::string &path) {
  if (std::find(binaries_.begin(), binaries_.end(), path) == binaries_.end()) {
    binaries_.push_back(path);
  }
}

Result<DwarfTypes *> UserTypes::open(const std::string &path, DebugFiles files) {
  auto known = types_.find(path);
  // What was not here may be elsewhere.
  if (known != types_.end() && !known->second && files == DebugFiles::kFetched) {
    types_.erase(known);
    known = types_.end();
  }
  if (known == types_.end()) {
    Result<std::shared_ptr<const DwarfFile>> file = DwarfFile::open(path, files);
    using Types = Result<std::unique_ptr<DwarfTypes>>;
    known = types_
                .emplace(path, file ? Types(std::make_unique<DwarfTypes>(std::move(*file), store_))
                                    : Types(file.error()))
                .first;
  }
  if (!known->second) return known->second.error();
  return known->second->get();
}

std::unique_ptr<TypeStore::Resolver> UserTypes::resolver_behind(
    std::unique_ptr<TypeStore::Resolver> first) {
  return std::make_unique<UserResolver>(*this, std::move(first));
}

}  // namespace awl::frontend
