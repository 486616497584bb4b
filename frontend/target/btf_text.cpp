// Types of BTF as C writes them.
#include <fmt/format.h>

#include "frontend/target/kernel_btf.h"

namespace awl::frontend {
namespace {

// Parts that one type's text may have; only a malformed one has more.
constexpr uint32_t kMaxParts = 512;

// A C declaration nests inside out: what is pointed to, returned, or an element of an array,
// stands around the declarator built so far.
class TypeWriter {
 public:
  explicit TypeWriter(const Btf &btf) : btf_(btf) {}

  std::string write(uint32_t id, const std::string &declarator) {
    const btf_type *type = btf_.type(id);
    if (type == nullptr || ++parts_ > kMaxParts) return join("void", declarator);
    const std::string_view name = btf_.name(*type);
    switch (kind_of(*type)) {
      case BTF_KIND_STRUCT:
        return join(tagged("struct", name), declarator);
      case BTF_KIND_UNION:
        return join(tagged("union", name), declarator);
      case BTF_KIND_FWD:
        return join(tagged(kind_flag_of(*type) ? "union" : "struct", name), declarator);
      case BTF_KIND_ENUM:
      case kBtfEnum64:
        return join(tagged("enum", name), declarator);
      case BTF_KIND_PTR:
        return write_pointer(*type, declarator);
      case BTF_KIND_ARRAY: {
        const btf_array &array = btf_.array(*type);
        return write(array.type, fmt::format("{}[{}]", declarator, array.nelems));
      }
      case BTF_KIND_FUNC_PROTO: {
        std::string outer = declarator + "(" + parameters(*type) + ")";
        return write(type->type, outer);
      }
      case BTF_KIND_CONST:
        return write_qualified("const", *type, declarator);
      case BTF_KIND_VOLATILE:
        return write_qualified("volatile", *type, declarator);
      case BTF_KIND_RESTRICT:
      case kBtfTypeTag:
        return write(type->type, declarator);
      default:
        return join(std::string(name), declarator);
    }
  }

 private:
  static std::string tagged(const char *keyword, std::string_view name) {
    return fmt::format("{} {}", keyword, name.empty() ? "(unnamed)" : name);
  }

  // "char[16]", but "char *" and "int (*)(void)".
  static std::string join(std::string type, const std::string &declarator) {
    if (!declarator.empty() && declarator.front() != '[') type += ' ';
    return type + declarator;
  }

  std::string write_pointer(const btf_type &type, const std::string &declarator) {
    const btf_type *pointee = btf_.type(type.type);
    const uint32_t kind = pointee ? kind_of(*pointee) : 0;
    const bool needs_parentheses = kind == BTF_KIND_FUNC_PROTO || kind == BTF_KIND_ARRAY;
    return write(type.type, needs_parentheses ? "(*" + declarator + ")" : "*" + declarator);
  }

  std::string write_qualified(const std::string &word, const btf_type &type,
                              const std::string &declarator) {
    const btf_type *qualified = btf_.type(type.type);
    // A pointer's qualifier stands behind its star, all others in front.
    if (qualified != nullptr && kind_of(*qualified) == BTF_KIND_PTR) {
      return write(type.type, " " + join(word, declarator));
    }
    return word + " " + write(type.type, declarator);
  }

  std::string parameters(const btf_type &prototype) {
    std::string text;
    for (const btf_param &parameter : btf_.parameters(prototype)) {
      if (parts_ > kMaxParts) break;
      if (!text.empty()) text += ", ";
      const bool is_variadic = parameter.name_off == 0 && parameter.type == 0;
      text += is_variadic ? "..." : write(parameter.type, "");
    }
    return text.empty() ? "void" : text;
  }

  const Btf &btf_;
  uint32_t parts_ = 0;
};

}  // namespace

std::string type_text(const Btf &btf, uint32_t id) { return TypeWriter(btf).write(id, ""); }

}  // namespace awl::frontend
