#include "frontend/passes/import_objects.h"

#include <memory>
#include <string>
#include <utility>

#include "base/dwarf/object_image.h"
#include "base/file.h"
#include "frontend/builtins/builtin.h"
#include "frontend/headers/compile_bpf.h"
#include "frontend/headers/include_lines.h"
#include "frontend/target/kernel_btf.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kImportFailed, Error, "import-failed", "cannot import '{}': {}", std::string,
               std::string);
AWL_DIAGNOSTIC(kImportTwice, Error, "import-twice", "the function '{}' is imported from two files",
               std::string);

constexpr size_t kMaxObjectBytes = 64u << 20;
constexpr uint32_t kGlobalLinkage = 1;  // enum btf_func_linkage

// The BTF of one object.
class ObjectBtf : public KernelBtf {
 public:
  explicit ObjectBtf(BtfRef btf) : btf_(std::move(btf)) {}

 protected:
  Result<BtfRef> open_vmlinux() override { return btf_; }
  std::vector<BtfRef> open_modules(const BtfRef &) override { return {}; }

 private:
  BtfRef btf_;
};

// The kernel's types, then those of one object.
class ObjectResolver : public TypeStore::Resolver {
 public:
  ObjectResolver(std::shared_ptr<const Btf> btf, TypeStore &store,
                 std::unique_ptr<TypeStore::Resolver> kernel)
      : kernel_(std::move(kernel)), btf_(std::move(btf)), types_(btf_, store, *kernel_) {}

  BtfTypes &types() { return types_; }

  TypeRef find_struct(const std::string &tag, bool is_union) override {
    TypeRef known = kernel_->find_struct(tag, is_union);
    return known ? known : types_.find_struct(tag, is_union);
  }
  TypeRef find_enum(const std::string &tag) override {
    TypeRef known = kernel_->find_enum(tag);
    return known ? known : types_.find_enum(tag);
  }
  TypeRef find_typedef(const std::string &name) override {
    TypeRef known = kernel_->find_typedef(name);
    return known ? known : types_.find_typedef(name);
  }
  bool find_constant(const std::string &name, TypeStore::Constant *out) override {
    return kernel_->find_constant(name, out) || types_.find_constant(name, out);
  }
  void complete(StructDef *def) override {
    kernel_->complete(def);
    if (!def->is_complete) types_.complete(def);
  }

 private:
  std::unique_ptr<TypeStore::Resolver> kernel_;
  ObjectBtf btf_;
  BtfTypes types_;
};

class Importer {
 public:
  Importer(Compilation &compilation, const Options &options)
      : compilation_(compilation), options_(options) {}

  void import(const ObjectFile &file) {
    std::string bytes;
    if (!read(file, &bytes)) return;
    if (Status status = hide_functions(bytes); !status) {
      fail(file, status.error().message, "");
      return;
    }
    Result<std::shared_ptr<const Btf>> btf =
        Btf::parse(std::string(object_section(bytes, ".BTF")), file.path);
    if (!btf) {
      fail(file, "it has no type information: " + btf.error().message, "compile it with -g");
      return;
    }
    auto resolver = std::make_unique<ObjectResolver>(*btf, compilation_.types,
                                                     std::move(compilation_.resolver));
    add_functions(file, **btf, resolver->types());
    compilation_.resolver = std::move(resolver);
    compilation_.types.set_resolver(compilation_.resolver.get());
    compilation_.checked.objects.push_back({file.path, std::move(bytes)});
  }

 private:
  bool read(const ObjectFile &file, std::string *bytes) {
    if (file.is_compiled) {
      Result<std::string> content = read_file(file.path, kMaxObjectBytes);
      if (!content) return fail(file, content.error().message, "");
      *bytes = std::move(*content);
      return true;
    }
    CompiledBpf compiled = compile_bpf(file.path, header_options(options_, false));
    for (const HeaderFailure &failure : compiled.failures)
      fail(file, failure.message, failure.hint);
    *bytes = std::move(compiled.object);
    return compiled.failures.empty();
  }

  void add_functions(const ObjectFile &file, const Btf &btf, BtfTypes &types) {
    CheckedProgram &checked = compilation_.checked;
    btf.for_each([&](uint32_t id, const btf_type &type) {
      // How a function is linked stands where other types have a count.
      if (kind_of(type) != BTF_KIND_FUNC || count_of(type) != kGlobalLinkage) return;
      const std::optional<FunctionSignature> signature = types.signature(btf, id);
      if (!signature) return;
      ImportedFunction function;
      function.name = btf.name(type);
      function.span = file.span;
      function.return_type = signature->return_type;
      for (const FunctionParameter &parameter : signature->parameters)
        function.parameters.push_back({parameter.name, parameter.type, parameter.type_text});
      if (const ImportedFunction *other = checked.find_function(function.name)) {
        compilation_.diagnostics.emit(file.span, kImportTwice, function.name)
            .note(other->span, "first here");
        return;
      }
      checked.functions.push_back(std::move(function));
    });
  }

  bool fail(const ObjectFile &file, const std::string &reason, const std::string &hint) {
    auto diagnostic = compilation_.diagnostics.emit(file.span, kImportFailed, file.name, reason);
    if (!hint.empty()) diagnostic.hint(hint);
    return false;
  }

  Compilation &compilation_;
  const Options &options_;
};

}  // namespace

void import_objects(Compilation &compilation, const Options &options) {
  Importer importer(compilation, options);
  for (const ObjectFile &file : compilation.object_files) importer.import(file);
}

}  // namespace awl::frontend
