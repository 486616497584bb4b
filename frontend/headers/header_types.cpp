#include "frontend/headers/header_types.h"

#include <string_view>
#include <utility>

namespace awl::frontend {
namespace {

// Whether a file is one of the kernel's headers: installed for modules to be built, or for
// programs.
bool is_kernels_file(std::string_view file) {
  for (std::string_view folder :
       {"/include/linux/", "/include/uapi/", "/include/net/", "/include/asm/",
        "/include/asm-generic/", "/usr/src/", "/lib/modules/"}) {
    if (file.find(folder) != std::string_view::npos) return true;
  }
  return false;
}

class HeaderResolver : public TypeStore::Resolver {
 public:
  HeaderResolver(std::unique_ptr<DwarfTypes> types, std::unique_ptr<TypeStore::Resolver> kernel)
      : types_(std::move(types)), kernel_(std::move(kernel)) {}

  TypeRef find_struct(const std::string &tag, bool is_union) override {
    return choose(
        types_->file_of_struct(tag, is_union), [&] { return types_->find_struct(tag, is_union); },
        [&] { return kernel_->find_struct(tag, is_union); });
  }
  TypeRef find_enum(const std::string &tag) override {
    return choose(
        types_->file_of_enum(tag), [&] { return types_->find_enum(tag); },
        [&] { return kernel_->find_enum(tag); });
  }
  TypeRef find_typedef(const std::string &name) override {
    return choose(
        types_->file_of_typedef(name), [&] { return types_->find_typedef(name); },
        [&] { return kernel_->find_typedef(name); });
  }
  bool find_constant(const std::string &name, TypeStore::Constant *out) override {
    return types_->find_constant(name, out) || kernel_->find_constant(name, out);
  }
  void complete(StructDef *def) override {
    if (!types_->complete(def)) kernel_->complete(def);
  }

 private:
  template <class Header, class Kernel>
  TypeRef choose(const std::string &file, Header header, Kernel kernel) {
    if (file.empty()) return kernel();
    if (is_kernels_file(file)) {
      if (TypeRef type = kernel()) return type;
    }
    return header();
  }

  std::unique_ptr<DwarfTypes> types_;
  std::unique_ptr<TypeStore::Resolver> kernel_;
};

}  // namespace

std::unique_ptr<TypeStore::Resolver> make_header_resolver(
    std::unique_ptr<DwarfTypes> types, std::unique_ptr<TypeStore::Resolver> kernel) {
  return std::make_unique<HeaderResolver>(std::move(types), std::move(kernel));
}

}  // namespace awl::frontend
